"""What a check is, and what it finds: values that know nothing of how Dagster runs them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dagster as dg

from flywheel_assets.defs.resources import WheelResource


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found. `found` becomes the metadata of the evaluation."""

    passed: bool
    found: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """A check of one asset; `judge` is given the wheel and Dagster's instance."""

    asset: str
    name: str
    promise: str
    judge: Callable[[WheelResource, dg.DagsterInstance], Verdict]
