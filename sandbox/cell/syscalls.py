"""The numbers of the system calls that the filter distinguishes, for each architecture.

The filter refuses every call that this module does not name.
"""

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# fmt: off
NUMBERS = {
    "x86_64": {
        "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7,
        "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13,
        "rt_sigprocmask": 14, "rt_sigreturn": 15, "ioctl": 16, "pread64": 17, "readv": 19,
        "writev": 20, "access": 21, "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35,
        "getpid": 39, "clone": 56, "fork": 57, "vfork": 58, "execve": 59, "exit": 60, "uname": 63,
        "fcntl": 72, "getcwd": 79, "readlink": 89, "gettimeofday": 96, "getrlimit": 97,
        "getrusage": 98, "sysinfo": 99, "times": 100, "ptrace": 101, "getuid": 102, "getgid": 104,
        "geteuid": 107, "getegid": 108, "getppid": 110, "sigaltstack": 131, "personality": 135,
        "statfs": 137, "fstatfs": 138, "pivot_root": 155, "chroot": 161, "mount": 165,
        "umount2": 166, "swapon": 167, "reboot": 169, "init_module": 175, "delete_module": 176,
        "gettid": 186, "time": 201, "futex": 202, "sched_getaffinity": 204, "getdents64": 217,
        "restart_syscall": 219, "fadvise64": 221, "clock_gettime": 228, "clock_getres": 229,
        "clock_nanosleep": 230, "exit_group": 231, "tgkill": 234, "kexec_load": 246, "add_key": 248,
        "request_key": 249, "keyctl": 250, "openat": 257, "newfstatat": 262, "readlinkat": 267,
        "faccessat": 269, "unshare": 272, "ppoll": 271, "set_robust_list": 273, "preadv": 295,
        "perf_event_open": 298, "prlimit64": 302, "name_to_handle_at": 303,
        "open_by_handle_at": 304, "setns": 308, "getcpu": 309, "process_vm_readv": 310,
        "process_vm_writev": 311, "kcmp": 312, "finit_module": 313, "seccomp": 317,
        "getrandom": 318, "bpf": 321, "membarrier": 324, "execveat": 322, "userfaultfd": 323,
        "statx": 332, "rseq": 334, "pidfd_send_signal": 424, "io_uring_setup": 425,
        "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429,
        "fsopen": 430, "clone3": 435, "pidfd_getfd": 438, "faccessat2": 439,
        "landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446,
    },
    "aarch64": {
        "ioctl": 29, "fcntl": 25, "umount2": 39, "mount": 40, "pivot_root": 41, "statfs": 43,
        "fstatfs": 44, "faccessat": 48, "getcwd": 17, "chroot": 51, "openat": 56, "close": 57,
        "getdents64": 61, "lseek": 62, "read": 63, "write": 64, "readv": 65, "writev": 66,
        "pread64": 67, "preadv": 69, "ppoll": 73, "readlinkat": 78, "newfstatat": 79, "fstat": 80,
        "personality": 92, "exit": 93, "exit_group": 94, "unshare": 97, "futex": 98,
        "set_robust_list": 99, "nanosleep": 101, "kexec_load": 104, "init_module": 105,
        "delete_module": 106, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115,
        "ptrace": 117, "sched_getaffinity": 123, "sched_yield": 124, "restart_syscall": 128,
        "tgkill": 131, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135,
        "rt_sigreturn": 139, "reboot": 142, "times": 153, "uname": 160, "getrusage": 165,
        "getcpu": 168, "gettimeofday": 169, "getpid": 172, "getppid": 173, "getuid": 174,
        "geteuid": 175, "getgid": 176, "getegid": 177, "gettid": 178, "sysinfo": 179, "brk": 214,
        "munmap": 215, "mremap": 216, "add_key": 217, "request_key": 218, "keyctl": 219,
        "clone": 220, "execve": 221, "mmap": 222, "fadvise64": 223, "swapon": 224, "mprotect": 226,
        "madvise": 233, "perf_event_open": 241, "prlimit64": 261, "name_to_handle_at": 264,
        "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271,
        "kcmp": 272, "finit_module": 273, "seccomp": 277, "getrandom": 278, "bpf": 280,
        "membarrier": 283, "execveat": 281, "userfaultfd": 282, "statx": 291, "rseq": 293,
        "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426,
        "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430, "clone3": 435,
        "pidfd_getfd": 438, "faccessat2": 439, "landlock_create_ruleset": 444,
        "landlock_add_rule": 445, "landlock_restrict_self": 446,
    },
}
# fmt: on

# The calls that a computation needs, whatever their arguments. The most frequent come first,
# because the kernel reads the filter in order.
COMPUTE = (
    *("read", "write", "munmap", "brk", "madvise", "mremap", "rt_sigprocmask"),
    *("rt_sigaction", "rt_sigreturn", "sigaltstack", "close", "lseek", "readv", "writev"),
    *("sched_yield", "nanosleep", "gettimeofday", "time"),
    *("times", "getpid", "getppid", "gettid", "getuid", "getgid", "geteuid", "getegid", "getcwd"),
    *("getrusage", "getrlimit", "getcpu", "getrandom", "set_robust_list"),
    *("rseq", "fstat", "restart_syscall", "exit", "exit_group"),
)

# What a process needs beside that to read files: the filter decides how it may open them.
READ = (
    *("pread64", "preadv", "newfstatat", "stat", "lstat", "statx", "access", "faccessat"),
    *("faccessat2", "readlink", "readlinkat", "getdents64", "statfs", "fstatfs", "fadvise64"),
    *("mmap", "mprotect", "futex", "fcntl", "poll", "ppoll", "uname", "sysinfo", "membarrier"),
)

# No computation makes these calls: the kernel kills the process, and the run is a `violation`.
NEVER = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"),
    *("pidfd_send_signal", "bpf", "seccomp", "perf_event_open", "userfaultfd", "personality"),
    *("keyctl", "add_key", "request_key", "io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "open_tree", "move_mount"),
    *("fsopen", "open_by_handle_at", "name_to_handle_at", "init_module", "finit_module"),
    *("delete_module", "kexec_load", "reboot", "swapon"),
)

# Refused calls: Python raises PermissionError for files, and BlockingIOError for processes.
NO_FILES = (
    *("openat", "open", "newfstatat", "stat", "lstat", "statx", "access", "faccessat"),
    *("faccessat2", "readlink", "readlinkat"),
)
NO_PROCESSES = ("clone", "fork", "vfork")
