"""Finds the gates: those in `gates/`, and those that installed packages declare as entry points."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Protocol, cast

import pyarrow as pa

from flywheel_assets.observations import gates
from flywheel_assets.observations.tool_results import RESULTS
from flywheel_assets.observations.verdict import Verdict
from flywheel_assets.tables.steps import GATES


@dataclass(frozen=True, slots=True)
class Evidence:
    """What gates may look at.

    `rows`: the day's `labeled_examples` in `example_id` order, plus `scope`, `minhash` (their
    signature), `same_as` (the earlier run with the same content, if any), `landed_at` (when the run's
    root span arrived; NULL: unknown), `door` (through which), `batch_fresh` (share of the days in its batch
    that were at most a week old), `service_name` (of the root span), `out_of_line` (an arm of which that
    service's word is out of line; NULL: of none), and what a person said of the example last (`review`,
    `reviewer`). `earlier`: signatures of the days before, in the scopes that
    `rows` has. `tool_results`: `run_id`, `span_id` and `text` of what tools gave back, where it hints at
    planted instructions. `allowed`: by tier, service or source, where it is limited, what is evidence.
    """

    rows: pa.Table
    earlier: pa.Table
    tool_results: pa.Table = field(default_factory=RESULTS.empty_table)
    allowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


class Gate(Protocol):
    """A rule that judges examples.

    `order` settles which gate a rejection is put down to. `by_row` says that a row's verdict does
    not depend on other rows, so that after a failure rows can be judged one at a time and only the
    offending ones are held.
    """

    @property
    def name(self) -> str:
        """The rule's name: the file's."""
        ...

    @property
    def version(self) -> str:
        """Raised when verdicts change."""
        ...

    @property
    def order(self) -> int:
        """Position among the gates."""
        ...

    @property
    def by_row(self) -> bool:
        """Whether each row is judged by itself."""
        ...

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """One verdict per row, in row order."""
        ...


def find_gates() -> tuple[Gate, ...]:
    """All gates in order. Raises ValueError where two share a name, whatever a broken gate raises on import.

    A gate that cannot be loaded stops the day rather than letting it pass unjudged.
    """
    modules = [f"{gates.__name__}.{found.name}" for found in pkgutil.iter_modules(gates.__path__)]
    found = [cast("Gate", importlib.import_module(module).GATE) for module in modules]
    found += [cast("Gate", point.load()) for point in metadata.entry_points(group=GATES)]
    names = [gate.name for gate in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two gates are named {twice}: rename one")
    return tuple(sorted(found, key=lambda gate: (gate.order, gate.name)))
