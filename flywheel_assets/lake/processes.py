"""Work side by side: by threads, or by other processes of this Python where it keeps the interpreter's lock.

Such a process imports what it is asked for and no more: the standard library's would import this process's main
module first, and with it Dagster. When the one that started it ends, however, it ends after the call it is at.
"""

import os
import pickle
import signal
import subprocess
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import IO, Self, TypeVar, cast

T = TypeVar("T")
R = TypeVar("R")
_SETTING = "FLYWHEEL_PROCESSORS"


def processors(stated: str | None) -> int:
    """How many threads or processes compute at the same time: as many as are stated, else as there are processors.

    Raises ValueError where what is stated is no whole number above 0.
    """
    if not stated:
        return os.cpu_count() or 1
    if not stated.isdecimal() or not int(stated):
        raise ValueError(f"{_SETTING} is {stated}: give a whole number above 0")
    return int(stated)


# Of a process that is started here: one.
PROCESSORS = processors(os.environ.get(_SETTING))
SIDE_BY_SIDE = min(4, PROCESSORS)


class ProcessDiedError(RuntimeError):
    """A process that computed something ended before it was done."""


def side_by_side(compute: Callable[[T], R], given: Iterable[T], *, apart: bool) -> Iterator[R]:
    """`compute` of each in the order given, several at a time; one that cannot be computed raises when its turn comes.

    `apart` by other processes: `compute` is a function of some module, and what it takes and gives can be pickled.
    Raises ProcessDiedError then.
    """
    coming: deque[Future[R]] = deque()
    with _Processes(SIDE_BY_SIDE if apart else 0) as processes:
        pool = ThreadPoolExecutor(SIDE_BY_SIDE)
        try:
            for one in given:
                coming.append(pool.submit(processes.answer, partial(compute, one)))
                if len(coming) > SIDE_BY_SIDE:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


class _Processes:
    """So many processes, each of which answers one call at a time; without any, this one does."""

    def __init__(self, count: int) -> None:
        self._all = [_Process() for _ in range(count)]
        self._idle = self._all.copy()

    def answer(self, call: Callable[[], R]) -> R:
        if not self._all:
            return call()
        process = self._idle.pop()
        try:
            return process.answer(call)
        finally:
            self._idle.append(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._all:
            process.end()


class _Process:
    """Answers calls, one after the other."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(  # noqa: S603 - this very module
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), _SETTING: "1"},
        )
        self._pipes = cast("tuple[IO[bytes], IO[bytes]]", (self._child.stdin, self._child.stdout))

    def answer(self, call: Callable[[], R]) -> R:
        calls, answers = self._pipes
        # Twice, so that it is read whole where a part of it cannot be found.
        asked = pickle.dumps(pickle.dumps(call))
        try:
            calls.write(asked)
            calls.flush()
            value, error = pickle.load(answers)  # noqa: S301 - what we wrote ourselves
        except (BrokenPipeError, EOFError):
            message = f"a process that computed ended with {self._child.wait()}; if memory is short, set {_SETTING}=1"
            raise ProcessDiedError(message) from None
        if error is not None:
            raise error
        return value

    def end(self) -> None:
        """Leave it nothing to wait for."""
        with suppress(BrokenPipeError), self._child:
            pass


def _answer_calls() -> None:
    """Until there is nobody to ask."""
    # Who is interrupted ends this process, too, when it is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What is printed meanwhile is no answer.
    with suppress(BrokenPipeError, EOFError), os.fdopen(os.dup(1), "wb", buffering=0) as answers:
        os.dup2(2, 1)
        while True:
            answers.write(_answered(pickle.load(sys.stdin.buffer)))  # noqa: S301 - what we wrote ourselves


def _answered(call: bytes) -> bytes:
    try:
        return pickle.dumps((pickle.loads(call)(), None))  # noqa: S301 - what we wrote ourselves
    except Exception as error:  # noqa: BLE001 - whoever asked raises it
        where = "".join(traceback.format_exception(error))
        error.add_note(where)
        try:
            return pickle.dumps((None, error))
        except Exception:  # noqa: BLE001 - anybody's error may hold what cannot be pickled
            return pickle.dumps((None, RuntimeError(where)))


if __name__ == "__main__":
    _answer_calls()
