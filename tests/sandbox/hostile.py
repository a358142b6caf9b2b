"""Programs that try to escape, each with the status and the words that its run must end with.

Each program attempts to break one promise of the sandbox, and limits itself, so that it does no
harm even if the sandbox fails. `{secret}` is a file that any user may read, `{outside}` a folder that any
user may write, `{port}` a listening port, `{victim}` another process.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    name: str
    status: str
    why: str  # words that the error must contain, or the result if the status is ok
    source: str

    def at(self, **places: object) -> str:
        """The source, with the names in braces replaced by their values on this machine."""
        source = self.source
        for name, place in places.items():
            source = source.replace(f"{{{name}!r}}", repr(place)).replace(f"{{{name}}}", f"{place}")
        return source


def _raw(name: str, number: int, *arguments: object, status: str, why: str = "") -> Attack:
    """An attack by a system call of x86-64, called by its number."""
    given = "".join(f", {argument}" for argument in arguments)
    source = f"""
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
returned = libc.syscall(ctypes.c_long({number}){given})
if returned == 0 and {number} in (56, 57): os._exit(0)
raise OSError(ctypes.get_errno(), f"returned {{returned}}")
"""
    return Attack(f"raw {name}", status, why, source)


_DENIED, _UNKNOWN, _NO_FORK = "PermissionError", "NotImplementedError", "BlockingIOError"

FILES = [
    Attack("open", "error", "out of reach", "open({secret!r}).read()"),
    Attack("open to write", "error", "out of reach", "open({outside!r} + '/x', 'w').write('x')"),
    Attack("climb", "error", "out of reach", "open('../../../../etc/passwd').read()"),
    Attack("os.open", "error", _DENIED, "import os; os.open({secret!r}, os.O_RDONLY)"),
    Attack(
        "os.open to write",
        "error",
        _DENIED,
        "import os; os.open({outside!r} + '/x', os.O_CREAT | os.O_WRONLY)",
    ),
    Attack("FileIO", "error", _DENIED, "import io; io.FileIO({secret!r}).read()"),
    Attack("_io.open", "error", _DENIED, "import _io; _io.open({secret!r}).read()"),
    Attack("open_code", "error", _DENIED, "import io; io.open_code({secret!r}).read()"),
    Attack("pathlib", "error", "out of reach", "import pathlib; pathlib.Path({secret!r}).read_text()"),
    Attack("posix.stat", "error", _DENIED, "import posix; posix.stat({secret!r})"),
    Attack("posix.listdir", "error", _DENIED, "import posix; posix.listdir({outside!r})"),
    Attack("posix.scandir", "error", _DENIED, "import posix; list(posix.scandir('/'))"),
    Attack("posix.mkdir", "error", _DENIED, "import posix; posix.mkdir({outside!r} + '/d')"),
    Attack("unlink", "error", _DENIED, "import posix; posix.unlink({secret!r})"),
    Attack("rename", "error", _DENIED, "import posix; posix.rename({secret!r}, {outside!r} + '/s')"),
    Attack("hard link", "error", _DENIED, "import os; os.link({secret!r}, {outside!r} + '/l')"),
    Attack("symlink", "error", _DENIED, "import os; os.symlink({secret!r}, {outside!r} + '/l')"),
    Attack("chmod", "error", _DENIED, "import os; os.chmod({outside!r}, 0)"),
    Attack("chdir", "error", _DENIED, "import os; os.chdir({outside!r})"),
    Attack("truncate", "error", _DENIED, "import os; os.truncate({secret!r}, 0)"),
    Attack("mkfifo", "error", _DENIED, "import os; os.mkfifo({outside!r} + '/f')"),
    Attack("utime", "error", _DENIED, "import os; os.utime({secret!r})"),
    Attack("readlink", "error", _DENIED, "import os; os.readlink('/proc/self/exe')"),
    Attack("statvfs", "error", _DENIED, "import os; os.statvfs('/')"),
    Attack("sqlite", "error", "unable to open", "import sqlite3; sqlite3.connect({outside!r} + '/d').execute('create table t(x)')"),
    Attack("a library", "error", "OSError", "import ctypes; ctypes.CDLL('libutil.so.1')"),
    Attack("numpy.fromfile", "error", "Error", "import numpy; numpy.fromfile({secret!r}, 'u1')"),
    Attack("numpy.memmap", "error", "out of reach", "import numpy; numpy.memmap({secret!r}, 'u1', 'r')"),
    Attack("environment", "ok", "{'clean': True}", "import os; result = {'clean': not any('KEY' in k or 'TOKEN' in k or 'PATH' in k for k in os.environ)}"),
    Attack("its environ in /proc", "error", _DENIED, "import os; os.open('/proc/self/environ', 0)"),
    Attack("memory of its parent", "error", _DENIED, "import os; os.open(f'/proc/{os.getppid()}/mem', 0)"),
    Attack("descriptors", "ok", "[]", """
import os
result = []
for number in range(4, 256):
    try:
        os.fstat(number); result.append(number)
    except OSError:
        pass
"""),
]  # fmt: skip

NETWORK = [
    Attack("tcp", "error", _DENIED, "import socket; socket.create_connection(('127.0.0.1', {port}), 1)"),
    Attack("udp", "error", _DENIED, "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"),
    Attack("unix", "error", _DENIED, "import socket; socket.socket(socket.AF_UNIX)"),
    Attack("socketpair", "error", _DENIED, "import socket; socket.socketpair()"),
    Attack("netlink", "error", _DENIED, "import socket; socket.socket(16, socket.SOCK_RAW)"),
    Attack("resolve", "error", "gaierror", "import socket; socket.getaddrinfo('example.com', 80)"),
    Attack("host name", "error", _DENIED, "import socket; socket.gethostname()"),
    Attack("send from its own socket", "error", _DENIED, "import socket; socket.socket(fileno=3, family=1, type=1).sendmsg([b'x'])"),
    Attack("urllib", "error", "not available", "import urllib.request"),
    _raw("socket", 41, 2, 1, 0, status="error", why=_DENIED),
    _raw("connect", 42, 3, 0, 0, status="error", why=_DENIED),
    _raw("bind", 49, 3, 0, 0, status="error", why=_DENIED),
    _raw("sendto", 44, 3, 0, 0, 0, 0, 0, status="error", why=_DENIED),
]  # fmt: skip

PROCESSES = [
    Attack("fork", "error", _NO_FORK, "import os; os.fork()"),
    Attack("forkpty", "error", "Error", "import os; os.forkpty()"),
    Attack("subprocess", "error", "Error", "import subprocess; subprocess.run(['/bin/true'])"),
    Attack("system", "ok", "32512", "import os; result = os.system('true')"),
    Attack("execv", "error", _DENIED, "import os; os.execv('/bin/true', ['true'])"),
    Attack("posix_spawn", "error", "Error", "import os; os.posix_spawn('/bin/true', ['true'], {})"),
    Attack("a thread", "error", "can't start new thread", "import _thread; _thread.start_new_thread(print, ())"),
    Attack("threads without end", "error", "can't start new thread", """
import threading, time
for _ in range(300): threading.Thread(target=time.sleep, args=(9,)).start()
"""),
    Attack("a process", "error", "Error", "import multiprocessing; multiprocessing.Process(target=print).start()"),
    Attack("signal its parent", "error", _DENIED, "import os; os.kill(os.getppid(), 9)"),
    Attack("signal everyone", "error", _DENIED, "import os; os.kill(-1, 9)"),
    Attack("signal the victim", "error", _DENIED, "import os; os.kill({victim}, 9)"),
    Attack("signal its group", "error", _DENIED, "import os; os.killpg(0, 9)"),
    Attack("a session of its own", "error", _DENIED, "import os; os.setsid()"),
    Attack("a handle on the victim", "error", _DENIED, "import os; os.pidfd_open({victim})"),
    Attack("nice", "error", _DENIED, "import os; os.nice(-5)"),
    Attack("priority", "error", _DENIED, "import os; os.setpriority(os.PRIO_PROCESS, 0, -5)"),
    Attack("processors", "error", _DENIED, "import os; os.sched_setaffinity(0, {0})"),
    Attack("real time", "error", _DENIED, "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(9))"),
    Attack("become root", "error", _DENIED, "import os; os.setuid(0)"),
    Attack("become anyone", "error", _DENIED, "import os; os.setresuid(0, 0, 0)"),
    Attack("groups", "error", _DENIED, "import os; os.setgroups([0])"),
    Attack("raise a limit", "error", "Error", "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))"),
    Attack("lower a limit", "error", "Error", "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))"),
    Attack("alarm", "error", "not permitted", "import signal; signal.setitimer(signal.ITIMER_REAL, 1)"),
    _raw("prctl", 157, 1, 0, 0, 0, 0, status="error", why=_DENIED),
    _raw("capset", 126, 0, 0, status="error", why=_DENIED),
    _raw("fork", 57, status="error", why=_NO_FORK),
    _raw("clone", 56, 17, 0, 0, 0, 0, status="error", why=_NO_FORK),
    _raw("clone3", 435, 0, 0, status="error", why="38"),
    _raw("tgkill of another", 234, 1, 1, 9, status="error", why=_DENIED),
    _raw("tkill", 200, 1, 9, status="error", why=_DENIED),
    _raw("rt_sigqueueinfo", 129, 1, 9, 0, status="error", why=_DENIED),
]  # fmt: skip

KERNEL = [
    _raw(name, number, 0, 0, 0, 0, status="violation")
    for name, number in (
        ("ptrace", 101), ("process_vm_readv", 310), ("process_vm_writev", 311), ("kcmp", 312),
        ("pidfd_getfd", 438), ("pidfd_send_signal", 424), ("bpf", 321), ("seccomp", 317),
        ("perf_event_open", 298), ("userfaultfd", 323), ("personality", 135), ("keyctl", 250),
        ("add_key", 248), ("request_key", 249), ("io_uring_setup", 425), ("io_uring_enter", 426),
        ("mount", 165), ("umount2", 166), ("pivot_root", 155), ("chroot", 161), ("unshare", 272),
        ("setns", 308), ("open_tree", 428), ("move_mount", 429), ("fsopen", 430),
        ("open_by_handle_at", 304), ("name_to_handle_at", 303), ("init_module", 175),
        ("finit_module", 313), ("delete_module", 176), ("kexec_load", 246), ("reboot", 169),
        ("swapon", 167), ("x32 getpid", 0x40000000 | 39),
    )
] + [
    _raw(name, number, 0, 0, 0, 0, status="error", why=_DENIED)
    for name, number in (
        ("modify_ldt", 154), ("memfd_create", 319), ("memfd_secret", 447), ("shmget", 29),
        ("msgget", 68), ("mq_open", 240), ("inotify_init", 253), ("epoll_create1", 291),
        ("eventfd2", 290), ("timerfd_create", 283), ("signalfd4", 289), ("fanotify_init", 300),
        ("pipe2", 293), ("dup2", 33), ("sendfile", 40), ("splice", 275), ("vmsplice", 278),
        ("quotactl", 179), ("acct", 163), ("syslog", 103), ("sethostname", 170),
        ("settimeofday", 164), ("clock_settime", 227), ("adjtimex", 159), ("iopl", 172),
        ("lookup_dcookie", 212), ("mbind", 237), ("move_pages", 279), ("membarrier", 324),
        ("landlock_restrict_self", 446), ("cachestat", 451), ("a number nobody has", 9999),
    )
] + [
    Attack("executable memory", "error", _DENIED, "import mmap; mmap.mmap(-1, 4096, prot=7)"),
    Attack("make memory executable", "ok", "-1", """
import ctypes, mmap
page = mmap.mmap(-1, 4096)
where = ctypes.addressof(ctypes.c_char.from_buffer(page))
result = ctypes.CDLL(None).mprotect(ctypes.c_void_p(where), 4096, 5)
"""),
    Attack("dup", "error", _DENIED, "import os; os.dup(1)"),
    Attack("own a descriptor", "error", _DENIED, "import fcntl; fcntl.fcntl(1, fcntl.F_SETOWN, {victim})"),
    Attack("asynchronous", "error", _DENIED, "import fcntl, os; fcntl.fcntl(1, fcntl.F_SETFL, os.O_ASYNC)"),
    Attack("a terminal", "error", "Inappropriate ioctl", "import fcntl, termios; fcntl.ioctl(0, 0x5412, b'x')"),
]  # fmt: skip

_CLOCK = "import os, time\nclock = ~{process} << 3 | {kind}\ntime.{call}(clock)"
PROBES = [
    *(
        Attack(f"{call} of clock {kind} of {whose}", "error", _DENIED,
               _CLOCK.replace("{process}", process).replace("{kind}", f"{kind}").replace("{call}", call))
        for whose, process in (("its parent", "os.getppid()"), ("the victim", "{victim}"), ("process 1", "1"))
        for kind, call in ((2, "clock_gettime"), (0, "clock_gettime"), (6, "clock_getres"))
    ),
    Attack("processors of its parent", "error", _DENIED, "import os; os.sched_getaffinity(os.getppid())"),
    Attack("processors of the victim", "error", _DENIED, "import os; os.sched_getaffinity({victim})"),
    Attack("which processes exist", "ok", "[]", """
import os
result = []
for process in range(1, 300):
    if process != os.getpid():
        try:
            os.sched_getaffinity(process); result.append(process)
        except PermissionError: pass
"""),
    Attack("limits of the victim", "error", _DENIED, "import resource; resource.prlimit({victim}, resource.RLIMIT_NOFILE)"),
    Attack("limits of its parent", "error", _DENIED, "import os, resource; resource.prlimit(os.getppid(), resource.RLIMIT_AS)"),
    Attack("a limit of its own, set by number", "error", _DENIED, "import os, resource; resource.prlimit(os.getpid(), resource.RLIMIT_CORE, (0, 0))"),
    Attack("what it may know of itself", "ok", "True", """
import os, resource, time
result = bool(os.sched_getaffinity(0) == os.sched_getaffinity(os.getpid())
              and resource.prlimit(os.getpid(), resource.RLIMIT_NOFILE) == (8, 8)
              and time.process_time() > 0 and time.thread_time() >= 0 and time.time() > 1e9)
"""),
    Attack("schedule of its parent", "error", _DENIED, "import os; os.sched_getscheduler(os.getppid())"),
    Attack("priority of the victim", "error", _DENIED, "import os; os.getpriority(os.PRIO_PROCESS, {victim})"),
    Attack("group of its parent", "error", _DENIED, "import os; os.getpgid(os.getppid())"),
    Attack("session of its parent", "error", _DENIED, "import os; os.getsid(os.getppid())"),
    Attack("signal 0 to its parent", "error", _DENIED, "import os; os.kill(os.getppid(), 0)"),
    Attack("signal 0 to the victim", "error", _DENIED, "import os; os.kill({victim}, 0)"),
    Attack("whose socket this is", "error", _DENIED, "import socket; socket.socket(fileno=3, family=1, type=1).getsockopt(1, 17, 12)"),
    Attack("read its socket as a socket", "error", _DENIED, "import socket; socket.socket(fileno=3, family=1, type=1).recvmsg(9, 99)"),
    Attack("grow its socket", "error", _DENIED, "import socket; socket.socket(fileno=3, family=1, type=1).setsockopt(1, 7, 1 << 30)"),
    Attack("shut its socket", "error", _DENIED, "import socket; socket.socket(fileno=3, family=1, type=1).shutdown(0)"),
    Attack("wait for others", "error", _DENIED, "import os; os.waitid(os.P_ALL, 0, os.WEXITED)"),
    Attack("open through a descriptor", "ok", "[]", """
import os
result = []
for number in range(8):
    for path in ('self/environ', '..', 'etc/passwd', '', '.'):
        try:
            os.open(path, os.O_RDONLY, dir_fd=number); result.append((number, path))
        except OSError: pass
"""),
    Attack("its input", "ok", "['']", "import os; result = [os.read(0, 100)]"),
    Attack("read its output", "error", "Bad file descriptor", "import os; os.read(1, 100)"),
    Attack("map its descriptors", "ok", "[]", """
import mmap
result = []
for number in range(4):
    try: mmap.mmap(number, 4096); result.append(number)
    except (OSError, ValueError): pass
"""),
    Attack("a shared memory file", "error", "Error", "import multiprocessing.shared_memory as m; m.SharedMemory(create=True, size=99)"),
    Attack("shared memory left behind", "ok", "done", "import mmap, os\nm = mmap.mmap(-1, 1 << 26)\nm[::4096] = b'x' * (1 << 14)\nresult = 'done'"),
    *(
        _raw(name, number, *arguments, status="error", why=_DENIED)
        for name, number, arguments in (
            ("clock_nanosleep of another", 230, ("~os.getppid() << 3 | 2", 0, 0, 0)),
            ("ioprio_get", 252, (1, "{victim}")), ("ioprio_set", 251, (1, "{victim}", 0)),
            ("sched_getparam", 143, ("{victim}", 0)), ("sched_getattr", 315, ("{victim}", 0, 48, 0)),
            ("sched_rr_get_interval", 148, ("{victim}", 0)), ("sched_setattr", 314, (0, 0, 0)),
            ("get_robust_list", 274, ("{victim}", 0, 0)), ("rt_tgsigqueueinfo", 297, ("{victim}", "{victim}", 9, 0)),
            ("timer_create", 222, ("~os.getppid() << 3 | 2", 0, 0)), ("timerfd of another", 283, ("~1 << 3", 0)),
            ("process_madvise", 440, (3, 0, 0, 0, 0)), ("process_mrelease", 448, (3, 0)),
            ("pidfd_open", 434, ("os.getppid()", 0)), ("capget", 125, (0, 0)), ("wait4", 61, (-1, 0, 1, 0)),
            ("semget", 64, (0, 1, 512)), ("mlock", 149, (0, 1 << 30)), ("mlockall", 151, (3,)),
            ("mincore", 27, (0, 4096, 0)), ("msync", 26, (0, 4096, 4)), ("remap_file_pages", 216, (0, 0, 0, 0, 0)),
            ("pkey_alloc", 330, (0, 0)), ("arch_prctl", 158, (0x1002, 0)), ("set_tid_address", 218, (0,)),
            ("sync", 162, ()), ("syncfs", 306, (1,)), ("getdents64", 217, (0, 0, 0)), ("flock", 73, (3, 2)),
            ("sysinfo", 99, (0,)), ("uname", 63, (0,)), ("vhangup", 153, ()), ("set_mempolicy", 238, (0, 0, 0)),
            ("migrate_pages", 256, ("{victim}", 0, 0, 0)), ("recvmmsg", 299, (3, 0, 0, 0, 0)),
            ("epoll_pwait", 281, (3, 0, 0, 0, 0)), ("mount_setattr", 442, (0, 0, 0, 0, 0)),
            ("futex_waitv", 449, (0, 0, 0, 0, 0)), ("map_shadow_stack", 453, (0, 4096, 0)),
        )
    ),
    _raw("io_uring_register", 427, 0, 0, 0, 0, status="violation"),
    _raw("futex that gives its turn to another", 202, 0, 6, 0, 0, 0, 0, status="error", why="38"),
]  # fmt: skip

RESOURCES = [
    Attack("an endless loop", "timeout", "", "while True: pass"),
    Attack("sleep", "timeout", "", "import time; time.sleep(60)"),
    Attack("an expression that explodes", "timeout", "", "import re; re.match(r'(a+)+$', 'a' * 40 + 'b')"),
    Attack("a number that explodes", "timeout", "", "x = 7 ** 7 ** 9"),
    Attack("stop itself", "timeout", "", "import signal; signal.raise_signal(signal.SIGSTOP)"),
    Attack("catch everything", "timeout", "", """
while True:
    try:
        while True: pass
    except BaseException: pass
"""),
    Attack("deaf to signals", "timeout", "", """
import signal
for number in range(1, 32):
    try: signal.signal(number, signal.SIG_IGN)
    except OSError: pass
while True: pass
"""),
    Attack("a destructor that waits", "ok", "done", """
import time
class D:
    def __del__(self): time.sleep(20)
d = D(); result = 'done'
"""),
    Attack("a hook at exit", "ok", "done", "import atexit, time; atexit.register(time.sleep, 20); result = 'done'"),
    Attack("a thread at exit", "timeout", "", "import threading, time; threading.Thread(target=time.sleep, args=(20,)).start(); result = 'done'"),
    Attack("memory at once", "memory_limit", "MemoryError", "x = bytearray(1 << 34)"),
    Attack("memory in pieces", "memory_limit", "MemoryError", "x = []\nwhile True: x.append(bytearray(1 << 24))"),
    Attack("mapped memory", "error", "Cannot allocate", "import mmap; x = [mmap.mmap(-1, 1 << 26) for _ in range(64)]"),
    Attack("memory in an array", "memory_limit", "Unable to allocate", "import numpy; numpy.zeros((1 << 20, 1 << 12))"),
    Attack("text that grows", "memory_limit", "MemoryError", "x = 'x' * (1 << 35)"),
    Attack("recursion", "error", "RecursionError", "def f(): return f()\nf()"),
    Attack("recursion without its guard", "signal_11", "", "import sys; sys.setrecursionlimit(10**9)\ndef f(n): return sorted([n], key=f)\nf(1)"),
    Attack("print without end", "output_limit", "", "while True: print('x' * 4096)"),
    Attack("raw stderr", "output_limit", "", "import os\nwhile True: os.write(2, b'x' * 65536)"),
    Attack("a long text", "output_limit", "too large", "result = 'x' * (50 << 20)"),
    Attack("a long array", "output_limit", "too large", "import numpy; result = numpy.zeros(6_000_000)"),
    Attack("many scratch files", "error", "at most 64", "for i in range(5000): open(f'f{i}', 'w').write('x')"),
    Attack("many scratch folders", "error", "at most 64", "import os\nfor i in range(5000): os.mkdir(f'd{i}')"),
]  # fmt: skip

_FORGE = """
import os, struct
def send(header, columns=b'', magic=b'SBX1', head=None, blob=None):
    os.write(3, struct.pack('<4sII', magic, len(header) if head is None else head,
                            len(columns) if blob is None else blob) + header + columns)
"""


def _forged(name: str, status: str, why: str, sends: str) -> Attack:
    return Attack(f"forged: {name}", status, why, _FORGE + sends)


FRAMES = [
    _forged("success", "ok", "{'mine': 1}", """send(b'{"ok": true, "result": {"mine": 1}, "status": "root", "seconds": 0}'); os._exit(0)"""),
    _forged("another beginning", "bad_frame", "", "send(b'{}', magic=b'EVIL')"),
    _forged("a header too long", "output_limit", "", "send(b'', head=1 << 30)"),
    _forged("columns too long", "output_limit", "", "send(b'{}', blob=1 << 31)"),
    _forged("no JSON", "bad_frame", "", "send(b'{')"),
    _forged("no object", "bad_frame", "", "send(b'[]')"),
    _forged("no verdict", "bad_frame", "", "send(b'{\"ok\": 1}')"),
    _forged("a bomb of brackets", "bad_frame", "", "send(b'[' * 400000 + b']' * 400000)"),
    _forged("a deep result", "bad_frame", "", "send(b'{\"ok\": true, \"result\": ' + b'[' * 500 + b']' * 500 + b'}')"),
    _forged("NaN", "bad_frame", "", "send(b'{\"ok\": true, \"result\": NaN}')"),
    _forged("half a character", "bad_frame", "", "send(b'{\"ok\": true, \"result\": \"\\xff\"}')"),
    _forged("a lone surrogate", "bad_frame", "", "send(b'{\"ok\": true, \"result\": \"\\\\ud800\"}')"),
    _forged("objects", "bad_frame", "", "send(b'{\"ok\": true, \"result\": {\"$a\": 0, \"d\": \"|O\", \"s\": [1]}', b'x' * 8)"),
    _forged("a pickle", "bad_frame", "", "send(b'\\x80\\x04\\x95\\x0b')"),
    _forged("a column that is not there", "bad_frame", "", "send(b'{\"ok\": true, \"result\": {\"$a\": 0, \"d\": \"<f8\", \"s\": [9]}', b'x' * 8)"),
    _forged("a column twice", "bad_frame", "", "send(b'{\"ok\": true, \"result\": [{\"$a\": 0, \"d\": \"<f8\", \"s\": [1]}, {\"$a\": 0, \"d\": \"<f8\", \"s\": [1]}]}', b'x' * 16)"),
    _forged("a shape below zero", "bad_frame", "", "send(b'{\"ok\": true, \"result\": {\"$a\": 0, \"d\": \"<f8\", \"s\": [-1]}')"),
    _forged("a shape without end", "bad_frame", "", "send(b'{\"ok\": true, \"result\": {\"$a\": 0, \"d\": \"<f8\", \"s\": [100000000, 100000000]}')"),
    _forged("bytes left over", "bad_frame", "", "send(b'{\"ok\": true, \"result\": 1}', b'x' * 8)"),
    _forged("two frames", "bad_frame", "", "import struct\nbody = b'{\"ok\": true, \"result\": 1}'\none = struct.pack('<4sII', b'SBX1', len(body), 0) + body\nos.write(3, one + one)"),
    _forged("half a frame", "exit_0", "", "os.write(3, b'SBX1'); os._exit(0)"),
    _forged("half a frame, then silence", "timeout", "", "import time; os.write(3, b'SBX1'); time.sleep(60)"),
    _forged("a number of a million digits", "bad_frame", "", "send(b'{\"ok\": true, \"result\": {\"$i\": \"' + b'9' * 1000000 + b'\"}')"),
    _forged("no number", "bad_frame", "", "send(b'{\"ok\": true, \"result\": {\"$f\": \"__import__\"}')"),
    Attack("nested", "error", "nested more than", "v = []\nfor _ in range(20000): v = [v]\nresult = v"),
    Attack("in itself", "error", "nested more than", "result = []; result.append(result)"),
    Attack("without end", "error", "more than 5000000", "import itertools; result = itertools.count()"),
    Attack("an object of its own", "error", "result contains a", "class Mine: pass\nresult = Mine()"),
    Attack("a float that lies", "ok", "[1.0]", "class F(float):\n    def __repr__(self): return '1e999, \"x\": 1'\nresult = [F(1.0)]"),
    Attack("a dict that lies", "ok", "{'a': 1}", "class E(dict):\n    def items(self):\n        while True: yield ('a', 1)\nresult = E(a=1)"),
    Attack("not finite", "ok", "[nan, inf]", "result = [float('nan'), float('inf')]"),
]  # fmt: skip

FRAMES += [
    _forged("a frame, then another later", "ok", "1", "import time\nsend(b'{\"ok\": true, \"result\": 1}'); time.sleep(.3); send(b'{\"ok\": true, \"result\": 2}')"),
    _forged("a frame, then its end by signal", "ok", "1", "send(b'{\"ok\": true, \"result\": 1}'); os.kill(0, 9) if 0 else os.abort()"),
    _forged("longer than it says", "bad_frame", "longer than it announced", "send(b'{\"ok\": true, \"result\": 1}', head=5)"),
    _forged("half of it", "timeout", "", "import time; send(b'{\"ok\": true}', head=500); time.sleep(60)"),
    _forged("half of its columns, then its end", "exit_0", "", "send(b'{\"ok\": true}', b'x' * 9, blob=500); os._exit(0)"),
    _forged("the largest lengths", "output_limit", "too large", "send(b'', head=2**32 - 1, blob=2**32 - 1)"),
    _forged("a byte at a time", "timeout", "", "import time\nfor byte in struct.pack('<4sII', b'SBX1', 900, 0) + b'[' * 800: os.write(3, bytes([byte])); time.sleep(.01)"),
    _forged("rows without columns, listed", "bad_frame", "one if it becomes a list", "send(b'{\"ok\": true, \"result\": {\"$a\": 0, \"d\": \"|u1\", \"s\": [90000000, 0], \"l\": 1}}'); os._exit(0)"),
    _forged("rows without columns", "output_limit", "cells", "send(b'{\"ok\": true, \"result\": {\"$a\": 0, \"d\": \"|u1\", \"s\": [90000000, 0]}}'); os._exit(0)"),
    _forged("millions of lists", "output_limit", "values in JSON", "send(b'{\"ok\": true, \"result\": [' + b','.join([b'[]'] * 350000) + b']}'); os._exit(0)"),
    _forged("millions of objects", "output_limit", "values in JSON", "send(b'{\"ok\": true, \"result\": [' + b','.join([b'{}'] * 350000) + b']}'); os._exit(0)"),
    _forged("millions of numbers", "output_limit", "values in JSON", "send(b'{\"ok\": true, \"result\": [' + b','.join([b'7'] * 350000) + b']}'); os._exit(0)"),
    _forged("thousands of columns", "output_limit", "values in JSON", "send(b'{\"ok\": true, \"result\": [' + b','.join(b'{\"$a\":%d,\"d\":\"|u1\",\"s\":[0]}' % i for i in range(60000)) + b']}'); os._exit(0)"),
    _forged("true as a length", "bad_frame", "not the shape", "send(b'{\"ok\": true, \"result\": {\"$a\": 0, \"d\": \"|u1\", \"s\": [true]}}', b'x'); os._exit(0)"),
    _forged("three dimensions", "bad_frame", "dimensions", "send(b'{\"ok\": true, \"result\": {\"$a\": 0, \"d\": \"|u1\", \"s\": [1, 1, 1]}}', b'x'); os._exit(0)"),
    _forged("a column of nothing", "bad_frame", "no column", "send(b'{\"ok\": true, \"result\": {\"$a\": [[]], \"d\": {}, \"s\": null}}'); os._exit(0)"),
    _forged("an error that is no text", "ok", "None", "send(b'{\"ok\": false, \"error\": {\"a\": [1]}, \"trace\": 7}'); os._exit(0)"),
    _forged("an error that is a terminal's", "error", "\\x1b]0;owned\\x07", "send(b'{\"ok\": false, \"error\": \"\\\\u001b]0;owned\\\\u0007\"}'); os._exit(0)"),
    Attack("a text that lies", "ok", "'b'}", "class S(str):\n    def __str__(self): return 'lie'\n    def encode(self, *_): return b'lie'\nresult = {S('a'): S('b')}"),
    Attack("a list that lies", "ok", "[1, 2]", "class L(list):\n    def __iter__(self):\n        while True: yield 0\n    def __len__(self): return 10**9\nresult = L([1, 2])"),
    Attack("an integer that lies", "ok", "[7]", "class I(int):\n    def __str__(self): return '1e999'\n    __repr__ = __index__ = __str__\nresult = [I(7)]"),
    Attack("an array that lies", "ok", "[0. 0. 0.]", "import numpy as np\nclass A(np.ndarray):\n    def tobytes(self, *_): return b'x' * 10**8\nresult = np.zeros(3).view(A)"),
    Attack("an object of arrays of itself", "error", "nested more than", "import numpy as np\na = np.empty(1, object); a[0] = a; result = a"),
    Attack("a mapping without end", "timeout", "", "import collections.abc as c\nclass M(c.Mapping):\n    def __getitem__(self, k): return k\n    def __len__(self): return 1\n    def __iter__(self):\n        while True: yield 'a'\nresult = M()"),
    Attack("a key that never becomes text", "timeout", "", "class K:\n    def __str__(self):\n        while True: pass\nresult = {K(): 1}"),
    Attack("an integer too long for Python", "error", "4300 digits", "result = 10 ** 100_000"),
    Attack("a fraction too large", "error", "OverflowError", "import fractions; result = fractions.Fraction(10 ** 4000, 3)"),
    Attack("a class that says it is another", "error", "Error", "class C:\n    __class__ = property(lambda self: dict)\nresult = C()"),
    Attack("half a character in a text", "bad_frame", "", "result = chr(0xD800)"),
    Attack("a text that unpacks", "memory_limit", "MemoryError", "import zlib; result = zlib.decompress(zlib.compress(bytes(1 << 24)) * 1) * 99"),
    Attack("an error of a million letters", "error", "ValueError", "raise ValueError('x' * 1_000_000)"),
    Attack("words for a terminal", "error", "\\x1b[2J\\u202e", "raise ValueError('\\x1b[2J\\u202e')"),
    Attack("a signal that names another cause", "violation", "", "import signal; signal.raise_signal(signal.SIGSYS)"),
]  # fmt: skip

CRASHES = [
    Attack("a null pointer", "signal_11", "", "import ctypes; ctypes.string_at(0)"),
    Attack("abort", "signal_6", "", "import os; os.abort()"),
    Attack("exit at once", "exit_0", "", "import os; os._exit(0)"),
    Attack("exit with a number", "exit_7", "", "import os; os._exit(7)"),
    Attack("sys.exit without a result", "error", "SystemExit", "import sys; sys.exit(0)"),
    Attack("sys.exit with an error", "error", "SystemExit", "result = 1\nimport sys; sys.exit(3)"),
    Attack("kill itself", "signal_9", "", "import signal; signal.raise_signal(9)"),
    Attack("close its own socket", "exit_", "", "import os; os.close(3)"),
    Attack("close its stdout", "ok", "1", "import os; os.close(1); os.close(2); result = 1"),
    Attack("no Python", "error", "SyntaxError", "def:"),
    Attack("a null byte", "error", "Error", "x = 1\0"),
    Attack("an error that cannot be shown", "error", "Evil", "class Evil(Exception):\n    def __str__(self): raise ValueError\nraise Evil()"),
    Attack("an interrupt", "error", "KeyboardInterrupt", "raise KeyboardInterrupt"),
    Attack("no encoder", "exit_111", "", "import json\njson.dumps = None\nresult = 1"),
]  # fmt: skip

ATTACKS = [*FILES, *NETWORK, *PROCESSES, *PROBES, *KERNEL, *RESOURCES, *FRAMES, *CRASHES]
