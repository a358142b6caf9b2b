"""The reviewer for security: refuses what no computation needs, before anything runs. Pure.

The sandbox confines every program whatever this reviewer says. A stored program is also read,
exported and run elsewhere, so the library takes only programs that need no confinement.
Not covered: a program that hides what it calls behind data, and does not use `getattr` for it.
"""

import ast
from collections.abc import Iterator

from sandbox.review.parsed import LOOPS, Fault, ParsedProgram, body_of, names_in

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
_OF_OS = "the environment, the files and the processes of the machine are no input"
_ENDLESS = ("itertools.count", "itertools.cycle")


def security(program: ParsedProgram) -> Iterator[Fault]:
    yield from _imports(program)
    reasons = (*_reaches(program), *_attributes(program), *_loops(program))
    yield from (("reject", reason) for reason in reasons)


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
        elif name in _OPENS and not _scratch(call):
            yield f"line {call.lineno}: it opens a file that is no scratch file"
        elif _is_of_files(name) and not _scratch(call):
            yield f"line {call.lineno}: `{name}` uses a file that is no scratch file"


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
    return own or attr in ("os", "sys") or attr in _MACHINE - {"code", "signal"}


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


def _loops(program: ParsedProgram) -> Iterator[str]:
    for node in program.nodes:
        if isinstance(node, ast.While) and not _leaves(node):
            endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
            if endless or not _moves(node):
                yield f"line {node.lineno}: nothing ends this loop"
        elif isinstance(node, ast.For) and isinstance(node.iter, ast.Call) and not _leaves(node):
            over = program.dotted(node.iter.func)
            if over in _ENDLESS or (over == "itertools.repeat" and len(node.iter.args) == 1):
                yield f"line {node.lineno}: nothing ends this loop"
    for name, function in program.functions.items():
        nodes = [n for part in function.body for n in ast.walk(part)]
        calls = any(isinstance(n, ast.Call) and program.dotted(n.func) == name for n in nodes)
        branches = (ast.If, ast.IfExp, ast.BoolOp, ast.Match, ast.Try, *LOOPS, ast.comprehension)
        if calls and not any(isinstance(n, branches) for n in nodes):
            yield f"line {function.lineno}: nothing ends the calls of `{name}` to itself"


def _leaves(loop: ast.AST) -> bool:
    """Whether something in the loop can leave it: a break of its own, a return, or an error."""
    inner = [n for n in body_of(loop) if isinstance(n, LOOPS)]
    of_inner = {id(n) for each in inner for n in body_of(each) if isinstance(n, ast.Break)}
    return any(
        isinstance(n, ast.Return | ast.Raise)
        or (isinstance(n, ast.Break) and id(n) not in of_inner)
        for n in body_of(loop)
    )


def _moves(loop: ast.While) -> bool:
    """Whether the body changes anything that the loop's condition looks at."""
    looked_at = names_in(loop.test)
    if any(isinstance(n, ast.Call | ast.NamedExpr) for n in ast.walk(loop.test)):
        return True
    for node in body_of(loop):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) if name in looked_at:
                return True
            case (
                ast.Subscript(value=value, ctx=ast.Store() | ast.Del())
                | ast.Attribute(value=value, ctx=ast.Store())
            ) if names_in(value) & looked_at:
                return True
            case ast.Call() if names_in(node) & looked_at:
                return True
    return False
