"""Replaces concurrency, which the sandbox forbids, by the same calls one after another.

A thread runs when it is joined or asked whether it is alive, and at the latest when the program
ends. Only a daemon thread that nobody waits for does not run, as if the program had ended first. An
executor's task runs when it is submitted. Coroutines run on an event loop that waits by sleeping.
The results are the same unless threads wait for each other.
"""

import asyncio
import concurrent.futures
import multiprocessing
import multiprocessing.pool
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

_MOST_THREADS = 64


class SerialExecutor(concurrent.futures.Executor):
    def __init__(self, max_workers: int | None = None, *given: Any, **named: Any) -> None:
        del given
        self._max_workers = max_workers or 1
        begin = named.get("initializer")
        if begin is not None:
            begin(*named.get("initargs", ()))

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> "concurrent.futures.Future[Any]":
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class SerialPool:
    """Replaces multiprocessing.Pool: each method calls its function at once, in this process."""

    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., Any] | None = None,
        initargs: Iterable[Any] = (),
        *given: Any,
        **named: Any,
    ) -> None:
        del processes, given, named
        if initializer is not None:
            initializer(*initargs)

    def __enter__(self) -> "SerialPool":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        pass

    join = terminate = close

    def apply(self, f: Callable[..., Any], args: Any = (), kwds: Any = None) -> Any:
        return f(*args, **(kwds or {}))

    def map(self, f: Callable[..., Any], items: Iterable[Any], *_: Any, **__: Any) -> list[Any]:
        return list(map(f, items))

    imap = imap_unordered = map

    def starmap(self, f: Callable[..., Any], items: Iterable[Any], *_: Any) -> list[Any]:
        return [f(*arguments) for arguments in items]

    def apply_async(self, f: Callable[..., Any], args: Any = (), kwds: Any = None) -> Any:
        return _Done(self.apply(f, args, kwds))

    def map_async(self, f: Callable[..., Any], items: Iterable[Any], *_: Any) -> Any:
        return _Done(self.map(f, items))

    def starmap_async(self, f: Callable[..., Any], items: Iterable[Any], *_: Any) -> Any:
        return _Done(self.starmap(f, items))


class _Done:
    def __init__(self, value: Any) -> None:
        self._value = value

    def get(self, timeout: float | None = None) -> Any:
        del timeout
        return self._value

    def ready(self) -> bool:
        return True

    successful = ready

    def wait(self, timeout: float | None = None) -> None:
        pass


class Thread(threading.Thread):
    """A thread that runs when the program waits for it; by then its input is complete."""

    _waiting: ClassVar[list[Any]] = []

    def start(self) -> None:
        if len(Thread._waiting) >= _MOST_THREADS:
            raise RuntimeError("can't start new thread: threads do not run here, call the function")
        if getattr(self, "_begun", False):
            raise RuntimeError("threads can only be started once")
        Thread._waiting.append(self)
        self._begun, self._ended = True, False

    def join(self, timeout: float | None = None) -> None:
        del timeout
        if not getattr(self, "_begun", False):
            raise RuntimeError("cannot join thread before it is started")
        if not self._ended:
            Thread._waiting.remove(self)
            self._ended = True
            self.run()

    def is_alive(self) -> bool:
        """Run the thread, because a program that asks may wait until it is no longer alive."""
        if getattr(self, "_begun", False):
            self.join()
        return False

    @staticmethod
    def join_all() -> None:
        """Run the threads that the end of a program waits for, in the order of their start."""
        while waiting := [thread for thread in Thread._waiting if not thread.daemon]:
            waiting[0].join()


class Loop(asyncio.BaseEventLoop):
    """An event loop without file descriptors, for coroutines that need only timers."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = self

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("every task waits for something that cannot happen")
        time.sleep(timeout)
        return []

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Do nothing, because this loop has no executor."""

    def _process_events(self, events: Any) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


class _Policy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return Loop()


def install() -> None:
    concurrent.futures.ThreadPoolExecutor = SerialExecutor  # type: ignore[assignment,misc]
    concurrent.futures.ProcessPoolExecutor = SerialExecutor  # type: ignore[assignment,misc]
    concurrent.futures.thread.ThreadPoolExecutor = SerialExecutor  # type: ignore[assignment,misc]
    multiprocessing.Pool = SerialPool  # type: ignore[assignment]
    multiprocessing.pool.Pool = multiprocessing.pool.ThreadPool = SerialPool  # type: ignore[assignment,misc]
    multiprocessing.cpu_count = lambda: 1
    threading.Thread = Thread  # type: ignore[misc]
    asyncio.set_event_loop_policy(_Policy())
