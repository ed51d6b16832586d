"""Accepted batches of a day, read back from the landing folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flywheel_assets.lake.lake import Lake
from flywheel_assets.sources.payloads import Place, read_payloads
from flywheel_assets.tables.landed_batches import LANDED_BATCHES

_OF_DAY = f"""
SELECT batch_id, format, file, "offset", length
FROM {LANDED_BATCHES.name}
WHERE status = 'accepted' AND signal = $signal AND list_contains(days, $day)
ORDER BY file, ordinal
"""
_SPANS_OF_DAY = f"""
SELECT coalesce(sum(spans), 0)::BIGINT
FROM (SELECT batch_id, max(spans) AS spans FROM {LANDED_BATCHES.name}
      WHERE status = 'accepted' AND signal = $signal AND list_contains(days, $day) GROUP BY batch_id)
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """One accepted batch as received: an OTLP export request, or a line of posted feedback."""

    batch_id: str
    format: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Mapped:
    """A batch over the bytes of its file, not copied."""

    batch_id: str
    format: str
    payload: bytes | memoryview


def read_batches(lake: Lake, landing: Path, day: date, signal: str = "traces") -> Iterator[Batch]:
    """Batches with at least one span (or feedback) of the day, once each, a file at a time.

    `signal` is 'traces' or 'feedback'. Only one batch is in memory at a time.
    """
    return (Batch(one.batch_id, one.format, bytes(one.payload)) for one in batches_of(landing, lake, day, signal)())


@dataclass(frozen=True, slots=True)
class Batches:
    """The same, to be read any number of times, by any process: `rows` are their columns in the index."""

    landing: Path
    rows: list[tuple[Any, ...]]

    def __call__(self) -> Iterator[Mapped]:
        """Each batch, in the order of the files."""
        payloads = read_payloads(self.landing, (Place(*row[2:]) for row in self.rows))
        for (batch_id, format_, *_), payload in zip(self.rows, payloads, strict=True):
            yield Mapped(batch_id, format_, payload)


def batches_of(landing: Path, lake: Lake, day: date, signal: str = "traces") -> Batches:
    """`read_batches`, to be read more than once. The lake is asked now: it cannot be while it writes a stream."""
    return Batches(landing, _asked(lake, _OF_DAY, day, signal))


def spans_in(lake: Lake, day: date) -> int:
    """How many spans the day's accepted batches hold, of whatever day, each batch once."""
    return int(_asked(lake, _SPANS_OF_DAY, day, "traces")[0][0])


def _asked(lake: Lake, question: str, day: date, signal: str) -> list[tuple[Any, ...]]:
    # Decoding goes on beside it.
    con = lake.connect([LANDED_BATCHES], threads=1)
    return con.execute(question, {"signal": signal, "day": day}).fetchall()
