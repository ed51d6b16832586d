"""Which sources are out of line as of a day, from what each said of each arm in the four weeks up to it.

A new stretch of evidence begins every week and lasts for four. Each may hold somebody honest with a probability of at
most a quarter of `ALPHA`, however often it is looked at: in any four weeks, `ALPHA` of a skill.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from math import log
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from flywheel_assets.observations.out_of_line import Expected, Tallies, interactions
from flywheel_assets.tables.source_findings import SOURCE_FINDINGS
from flywheel_assets.tables.source_tallies import SOURCE_TALLIES
from flywheel_assets.tables.steps import EVIDENCE_DAYS

ALPHA = 0.05
EVERY = 7
EXPECTED = Expected()
# Sources of a skill that are compared, those with most runs first: the work grows with the square of their number.
MOST = 50
_TALLY = (Path(__file__).parent / "tally.sql").read_text()

Row = dict[str, object]
# Day, skill, source, arm, runs, sum of outcomes, spread.
Tally = tuple[date, str, str, str, int, float, float]


def tally(con: duckdb.DuckDBPyConnection, day: date) -> tuple[pa.Table]:
    """(SOURCE_TALLIES,) of the day."""
    return (SOURCE_TALLIES.conform(con.execute(_TALLY, {"day": day}).to_arrow_table()),)


def watch(con: duckdb.DuckDBPyConnection, day: date) -> tuple[pa.Table]:
    """(SOURCE_FINDINGS,) as of the day."""
    sql = f"SELECT {', '.join(SOURCE_TALLIES.names)} FROM source_tallies WHERE day BETWEEN $first AND $day ORDER BY ALL"
    first = day - timedelta(days=EVIDENCE_DAYS - 1)
    rows = sorted(con.execute(sql, {"first": first, "day": day}).fetchall(), key=lambda row: row[1])
    by_skill = ((skill, list(said)) for skill, said in groupby(rows, key=lambda row: str(row[1])))
    found = [finding for skill, said in by_skill for finding in _of_skill(skill, said, day)]
    return (SOURCE_FINDINGS.rows(found),)


def _of_skill(skill: str, said: Sequence[Tally], day: date) -> list[Row]:
    """Of each source that is out of line the finding with the longest evidence."""
    sources, arms, first = _busiest(said), sorted({row[3] for row in said}), min(row[0] for row in said)
    if len(sources) < 3 or len(arms) < 2:
        return []
    whole = _arrays(said, sources, arms, first, day)
    findings: dict[str, Row] = {}
    for start in _starts(day):
        # Evidence that begins before the first run begins with it.
        tallies = whole.since(max((start - first).days, 0))
        for source, arm, facts in _out_of_line(tallies):
            of_whom = {"skill": skill, "source": sources[source], "arm": arms[arm]}
            findings.setdefault(sources[source], {"day": day, "since": start, **of_whom, **facts})
    return list(findings.values())


def _starts(day: date) -> list[date]:
    """First days of the stretches under way, the longest first."""
    newest = day - timedelta(days=day.toordinal() % EVERY)
    return [newest - timedelta(days=back) for back in range(EVIDENCE_DAYS - EVERY, -1, -EVERY)]


def _out_of_line(tallies: Tallies) -> Iterator[tuple[int, int, Row]]:
    """The source furthest out, then the next without it, as long as those left are the majority."""
    everybody = int((tallies.runs.sum(axis=(0, 2)) > 0).sum())
    for gone in range((everybody - 1) // 2):
        found = interactions(tallies, EXPECTED)
        compared = ~np.isnan(found.log_e)
        if not compared.any():
            return
        needed = log(compared.sum() * (EVIDENCE_DAYS / EVERY) / ALPHA)
        source, arm = (int(at) for at in np.unravel_index(np.nanargmax(found.log_e), found.log_e.shape))
        if found.log_e[source, arm] < needed:
            return
        numbers = {name: float(getattr(found, name)[source, arm]) for name in ("apart", "error", "log_e")}
        yield source, arm, {**numbers, "needed": needed, "others": everybody - gone - 1}
        tallies = tallies.without(source)


def _busiest(said: Sequence[Tally]) -> list[str]:
    runs: dict[str, int] = {}
    for row in said:
        runs[row[2]] = runs.get(row[2], 0) + row[4]
    return sorted(sorted(runs, key=lambda source: (-runs[source], source))[:MOST])


def _arrays(said: Sequence[Tally], sources: Sequence[str], arms: Sequence[str], first: date, day: date) -> Tallies:
    whose, which = ({name: number for number, name in enumerate(names)} for names in (sources, arms))
    sums = np.zeros((3, (day - first).days + 1, len(sources), len(arms)))
    for when, _, source, arm, *numbers in said:
        if source in whose:
            sums[:, (when - first).days, whose[source], which[arm]] = numbers
    return Tallies(*sums)
