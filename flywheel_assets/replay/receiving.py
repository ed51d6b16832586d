"""A receiver of its own for a replay: the real one, in a process beside, on free ports."""

import multiprocessing
from collections.abc import Generator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from flywheel_assets.lake.places import Places
from flywheel_assets.receiver import serve
from flywheel_assets.receiver.settings import ReceiverSettings

# As long as `flywheel up` waits: on a busy machine its imports alone take more than a minute.
BOOT_SECONDS = 300.0


@contextmanager
def receiving(places: Places) -> Generator[str]:
    """Spans go to the inbox of `places`; yields the receiver's address."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    settings = ReceiverSettings(inbox=places.inbox, http_port=0, grpc_port=0, segment_seconds=1)
    process = context.Process(target=_receive, args=(settings, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(BOOT_SECONDS):
            raise TimeoutError(f"the receiver did not start within {BOOT_SECONDS:.0f} s")
        yield ours.recv()
    finally:
        process.terminate()
        process.join(20)


def _receive(settings: ReceiverSettings, ready: Connection) -> None:
    serve.run(settings, lambda listening: ready.send(listening.http))
