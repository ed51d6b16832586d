"""Finds the queues: the files of this package."""

import importlib
import pkgutil

from flywheel_assets.commands import queues
from flywheel_assets.lake.places import Places
from flywheel_assets.receiver.desk.work import Queues


def find_queues(places: Places) -> Queues:
    """All queues over those data, by name."""
    files = (
        importlib.import_module(f"{queues.__name__}.{module.name}") for module in pkgutil.iter_modules(queues.__path__)
    )
    found = [file.queue(places) for file in files if hasattr(file, "queue")]
    return {queue.name: queue for queue in found}
