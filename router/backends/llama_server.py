"""Starts llama.cpp's own server in this process, and gives it a door that nobody else can open.

The server listens on a Unix socket in a folder that only this user may enter, never on a port. It
answers there until it is closed, and gives its memory back then. While a model loads, Python
stands still: llama.cpp holds the interpreter's lock.
"""

import ctypes
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.config.llama import LlamaSettings, NoSuchModel, model_file
from router.domain import Fault

_MAGIC = b"GGUF"
_BATCH_TOKENS = 256  # of a prompt at once; a caller who leaves is noticed between batches
_QUIET = -1
_LARGER_THAN_A_SIGACTION = 1024


@dataclass(slots=True)
class LlamaServer:
    """A running server and its socket."""

    server: Any
    socket: Path

    @classmethod
    def start(cls, settings: LlamaSettings) -> "LlamaServer":
        """Load the model; a `Fault` says why it cannot be loaded."""
        path = _checked(settings.model)
        folder = Path(tempfile.mkdtemp(prefix="llama-"))  # open to this user alone
        socket = folder / "door.sock"
        try:
            with _handlers_kept():
                server = _server(settings, path, socket)
            # Its loop answers this, so the loop runs: a server that ends before would never end.
            server.handle_metrics()
        except RuntimeError:
            shutil.rmtree(folder, ignore_errors=True)
            raise Fault("unavailable", _unreadable(path, settings)) from None
        return cls(server, socket)

    def close(self) -> None:
        """End the server. No call may be running."""
        self.server = None  # its destructor waits for llama.cpp's threads
        shutil.rmtree(self.socket.parent, ignore_errors=True)


def _checked(model: str) -> Path:
    try:
        path = model_file(model)
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except NoSuchModel as missing:
        raise Fault("unavailable", f"model = {model}: {missing}") from None
    except OSError as error:
        detail = f"model = {model}: the file cannot be read ({error.strerror})"
        raise Fault("unavailable", f"{detail}: give a GGUF file that Waggle may read") from None
    if magic != _MAGIC:
        detail = f"model = {model}: this is no GGUF file, which begins with `GGUF`"
        raise Fault("unavailable", f"{detail}: give a GGUF file")
    return path


def _unreadable(path: Path, settings: LlamaSettings) -> str:
    megabytes = path.stat().st_size >> 20
    return (
        f"model = {settings.model}: llama.cpp cannot load this file of {megabytes} MB. It is cut "
        "short, of a kind that llama.cpp does not know, or larger than the memory: fetch it again, "
        "or give another GGUF file"
    )


def _server(settings: LlamaSettings, path: Path, socket: Path) -> Any:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.model_alias = {settings.name}
    parameters.n_parallel = settings.concurrency
    parameters.n_ctx = settings.context_window * settings.concurrency
    parameters.n_batch = parameters.n_ubatch = _BATCH_TOKENS
    parameters.cpuparams.n_threads = settings.threads
    parameters.cpuparams_batch.n_threads = settings.threads
    parameters.n_threads_http = 2 * settings.concurrency + 2  # some still notice a caller leaving
    parameters.n_predict = settings.max_new_tokens
    parameters.cache_ram_mib = 0  # a context keeps its own last prompt, and that is all
    parameters.warmup = False
    parameters.fit_params = False
    parameters.verbosity = _QUIET
    parameters.ui = parameters.endpoint_slots = False
    parameters.endpoint_metrics = True
    parameters.hostnames = [str(socket)]
    return xllamacpp.Server(parameters)


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Keep this process's handlers of SIGINT and SIGTERM: llama.cpp puts its own in their place."""
    libc = ctypes.CDLL(None)
    kept = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        kept[number] = ctypes.create_string_buffer(_LARGER_THAN_A_SIGACTION)
        libc.sigaction(number, None, kept[number])
    try:
        yield
    finally:
        for number, handler in kept.items():
            libc.sigaction(number, handler, None)
