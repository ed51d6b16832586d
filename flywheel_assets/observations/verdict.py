"""What a gate says of one example, as a value, and how a gate turns row masks into verdicts."""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class Offset(NamedTuple):
    """A stretch of one text field of the example, in characters: what has to be redacted."""

    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """One gate's verdict on one example. `detail` never repeats what the example contains."""

    verdict: Literal["allow", "hold", "discard"]
    reason: str | None = None
    detail: str | None = None
    offsets: tuple[Offset, ...] = ()
    confidence: float = 1.0


ALLOW = Verdict("allow")


def hold(reason: str, detail: str, confidence: float = 1.0) -> Verdict:
    """Not evidence now; may become it when more is known."""
    return Verdict("hold", reason, detail, (), confidence)


def discard(reason: str, detail: str, confidence: float = 1.0) -> Verdict:
    """Never evidence."""
    return Verdict("discard", reason, detail, (), confidence)


def remark(reason: str, detail: str, offsets: tuple[Offset, ...] = (), confidence: float = 1.0) -> Verdict:
    """Evidence, with something a reader should know."""
    return Verdict("allow", reason, detail, offsets, confidence)


def first_that_holds(length: int, cases: Sequence[tuple[pa.Array | pa.ChunkedArray, Verdict]]) -> list[Verdict]:
    """For each of `length` rows the verdict of the first case whose mask is true there, else ALLOW.

    A NULL in a mask is not true: masks over optional columns need no special care.
    """
    verdicts = np.full(length, ALLOW, object)
    for mask, verdict in reversed(cases):
        verdicts[pc.fill_null(mask, False).to_numpy(zero_copy_only=False)] = verdict
    return verdicts.tolist()
