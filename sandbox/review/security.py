"""The reviewer for security: refuses what no computation needs, before anything runs. Pure.

The sandbox confines every program whatever this reviewer says. A stored program is also read,
exported and run elsewhere, so the library takes only programs that need no confinement.
Not covered: a program that hides what it calls behind data, and does not use `getattr` for it.
"""

import ast
from collections.abc import Iterator

from sandbox.review.endless import endless
from sandbox.review.parsed import Fault, ParsedProgram

_LIBRARIES = """
    __future__ abc array base64 bisect calendar cmath collections concurrent contextlib copy csv
    dataclasses datetime decimal difflib enum fractions functools graphlib hashlib heapq html io
    itertools json locale math numbers numpy operator queue random re scipy secrets statistics
    string struct sys textwrap time types typing unicodedata uuid warnings zlib zoneinfo"""
_MODULES = frozenset(_LIBRARIES.split())
_OF_SYS = """
    setrecursionlimit getrecursionlimit maxsize float_info version_info exit stdout stderr argv
    getsizeof stdin"""
_OF_NETWORKS = """
    socket ssl urllib http requests httpx aiohttp ftplib smtplib telnetlib poplib imaplib xmlrpc
    socketserver websocket paramiko"""
_NETWORK = frozenset(_OF_NETWORKS.split())
_OF_MACHINES = """
    subprocess ctypes cffi pickle cPickle dill marshal shelve importlib builtins inspect gc code
    codeop runpy pty resource signal mmap fcntl posix webbrowser faulthandler sysconfig site
    zipimport pkgutil pwd grp getpass nt winreg _thread _posixsubprocess"""
_MACHINE = frozenset(_OF_MACHINES.split())
_OS_PATHS = frozenset({"path", "sep", "linesep", "extsep"})  # which name files and touch none
_CALLS = frozenset(
    {"eval", "exec", "compile", "__import__", "breakpoint", "globals", "locals", "vars", "input"}
)
_OPENS = frozenset({"open", "io.open", "io.FileIO", "io.open_code"})
_NUMPY_FILES = frozenset(
    {"load", "save", "savez", "savetxt", "fromfile", "tofile", "memmap", "DataSource"}
)
_HARMLESS = """
    __init__ __name__ __doc__ __len__ __iter__ __next__ __add__ __sub__ __mul__ __truediv__ __eq__
    __lt__ __getitem__ __contains__ __call__ __post_init__"""
_DUNDERS = frozenset(_HARMLESS.split())
_GETTERS = ("operator.attrgetter", "operator.methodcaller")
_BESIDE = frozenset({"codecs", "glob", "linecache", "pathlib", "shutil", "tempfile", "threading"})
_TEXT_READERS = ("numpy.loadtxt", "numpy.genfromtxt", "numpy.fromregex")
_OF_OS = "the environment, the files and the processes of the machine are no input"


def security(program: ParsedProgram) -> Iterator[Fault]:
    yield from _imports(program)
    reasons = (*_reaches(program), *_attributes(program), *_renamed(program))
    yield from (("reject", reason) for reason in reasons)
    yield from (("revise", reason) for reason in _left_behind(program))
    yield from endless(program)


def _imports(program: ParsedProgram) -> Iterator[Fault]:
    """What may not be imported at all, and what the sandbox bears but the library does not."""
    for node in program.nodes:
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [f"{'.' * node.level}{node.module or ''}"]
            if modules == ["os"] and not {a.name for a in node.names} <= _OS_PATHS:
                yield "reject", f"line {node.lineno}: {_OF_OS}"
        for module in modules:
            first = module.partition(".")[0]
            if module == "urllib.parse":
                continue
            if first in _NETWORK:
                yield "reject", f"it imports `{module}`: a program uses no network"
            elif first in _MACHINE:
                yield "reject", f"it imports `{module}`, which reaches beyond the program"
            elif module == "ast" and _reads_literals(program):
                continue
            elif first not in _MODULES or module.startswith("scipy.io"):
                yield "revise", f"it imports `{module}`, which no computation needs"


def _reaches(program: ParsedProgram) -> Iterator[str]:
    for name, call in program.calls:
        if name == "__import__" and _imports_a_library(call):
            continue
        if name in _CALLS or name.removeprefix("builtins.") in _CALLS:
            yield f"line {call.lineno}: `{name}` runs or reads what nobody has reviewed"
        elif name in ("getattr", "setattr", "delattr") and not _plain_name(call):
            yield f"line {call.lineno}: `{name}` hides which attribute it uses"
        elif name == "time.sleep":
            yield f"line {call.lineno}: it sleeps, and no computation needs that"
        elif name in _GETTERS and not _plain_names(call):
            yield f"line {call.lineno}: `{name}` hides which attribute it uses"
        elif name in _TEXT_READERS and _names_a_file(call) and not _scratch(call):
            yield f"line {call.lineno}: `{name}` reads a file that is no scratch file"
        elif name.endswith((".format", ".format_map")) and _reaches_by_format(call):
            yield f"line {call.lineno}: its format reads attributes of Python itself"
        elif name in _OPENS and not _scratch(call):
            yield f"line {call.lineno}: it opens a file that is no scratch file"
        elif _is_of_files(name) and not _scratch(call):
            yield f"line {call.lineno}: `{name}` uses a file that is no scratch file"


def _reads_literals(program: ParsedProgram) -> bool:
    """Whether all that a program uses of `ast` is what reads written values."""
    uses = {name for name, _ in program.calls if name.partition(".")[0] == "ast"}
    return uses <= {"ast.literal_eval"}


def _left_behind(program: ParsedProgram) -> Iterator[str]:
    """Files that a run writes for a later run to read."""
    for name, call in program.calls:
        mode = _mode(call)
        if name not in _OPENS or not _scratch(call) or "r" in mode:
            continue
        path = ast.dump(call.args[0])
        again = [c for n, c in program.calls if n in _OPENS and c is not call and c.args]
        if "a" in mode or not any(ast.dump(c.args[0]) == path for c in again):
            yield f"line {call.lineno}: it writes for a later run: give it back as the result"


def _renamed(program: ParsedProgram) -> Iterator[str]:
    """Functions that run code or open files, under another name."""
    called = {id(call.func) for _, call in program.calls}
    for node in program.nodes:
        if not isinstance(node, ast.Name) or isinstance(node.ctx, ast.Store) or id(node) in called:
            continue
        if node.id in (_CALLS | {"open"}) and node.id not in program.values:
            yield f"line {node.lineno}: `{node.id}` is called under another name"


def _mode(call: ast.Call) -> str:
    """The mode in which a file is opened; for a mode that is not written out, `r`."""
    given = [word.value for word in call.keywords if word.arg == "mode"]
    mode = given[0] if given else call.args[1] if len(call.args) > 1 else ast.Constant("r")
    return mode.value if isinstance(mode, ast.Constant) and isinstance(mode.value, str) else "r"


def _names_a_file(call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    return isinstance(first, ast.Constant) and isinstance(first.value, str)


def _reaches_by_format(call: ast.Call) -> bool:
    text = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(text, ast.Constant) and "__" in str(text.value)


def _plain_names(call: ast.Call) -> bool:
    return bool(call.args) and all(
        isinstance(a, ast.Constant) and isinstance(a.value, str) and "__" not in a.value
        for a in call.args[:1]
    )


def _attributes(program: ParsedProgram) -> Iterator[str]:
    for node in program.nodes:
        match node:
            case ast.Attribute(attr=attr) if attr.startswith("__") and attr not in _DUNDERS:
                yield f"line {node.lineno}: `{attr}` reaches into Python itself"
            case ast.Name(id=name) if name.startswith("__") and name not in (
                "__name__",
                "__import__",
            ):
                yield f"line {node.lineno}: `{name}` reaches into Python itself"
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if (
                name in program.aliases and _leads_out(attr)
            ):
                yield f"line {node.lineno}: `{attr}` is what a module keeps for itself"
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if (
                program.aliases.get(name) == "sys" and attr not in _OF_SYS.split()
            ):
                yield f"line {node.lineno}: `sys.{attr}` is no input of a computation"
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if (
                program.aliases.get(name) == "os" and attr not in _OS_PATHS
            ):
                yield f"line {node.lineno}: {_OF_OS}"


def _leads_out(attr: str) -> bool:
    """Whether an attribute of a module is its own, or another module through which it may leave."""
    own = attr.startswith("_") and not attr.startswith("__")  # dunders have a rule of their own
    return own or attr in ("os", "sys") or attr in (_MACHINE | _BESIDE) - {"code", "signal"}


def _is_of_files(name: str) -> bool:
    return name.startswith("numpy.") and name.rpartition(".")[2] in _NUMPY_FILES


def _imports_a_library(call: ast.Call) -> bool:
    """Whether `__import__` names a module that any program may import."""
    first = call.args[0] if len(call.args) == 1 else None
    return isinstance(first, ast.Constant) and first.value in _MODULES


def _plain_name(call: ast.Call) -> bool:
    name = call.args[1] if len(call.args) > 1 else None
    return isinstance(name, ast.Constant) and isinstance(name.value, str) and "__" not in name.value


def _scratch(call: ast.Call) -> bool:
    """Whether a file's path is written out, and lies where the sandbox keeps scratch files."""
    path = call.args[0] if call.args else None
    if not isinstance(path, ast.Constant) or not isinstance(path.value, str):
        return False
    inside = not path.value.startswith(("/", "~")) or path.value.startswith("/tmp/")
    return inside and ".." not in path.value
