"""Which rules other packages add to a step, as far as its results depend on them."""

import functools
from importlib.metadata import EntryPoint, entry_points


@functools.cache
def installed(group: str) -> tuple[str, ...]:
    """The group's rules with their versions and those of their packages, in order.

    Asked once a process, which cannot load what is installed later. A rule that cannot be loaded is told by its kind
    of failure: whoever asks it says more.
    """
    return tuple(sorted(map(_told, entry_points(group=group)))) if group else ()


def _told(point: EntryPoint) -> str:
    try:
        version = str(point.load().version)
    except Exception as error:  # noqa: BLE001 - a rule is anyone's code: it may raise whatever it likes on import
        version = type(error).__name__
    return f"{point.name} {version} {point.dist.version if point.dist else '-'}"
