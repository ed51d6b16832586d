"""What the demo shows at its end: what was promoted and why, how much better the agents got, where to look."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text

from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.replay.fleet import WaveReport
from flywheel_assets.replay.planted import PLANTED
from flywheel_assets.tables.momentum import MOMENTUM
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS

VERDICTS = ("promoted", "rolled_back", "abandoned")
Row = dict[str, object]


def ledger(places: Places) -> list[Row]:
    """The entries of the ledger, oldest first."""
    return Lake(places.lake).read(PROMOTION_DECISIONS).to_pylist()


def in_words(entry: Row) -> str:
    """One entry in a line."""
    kind = str(entry["kind"]).replace("_", " ")
    return f"{entry['skill']}: {kind} {_model(entry['candidate_arm'])}: {entry['reason']}"


def result(places: Places, waves: list[WaveReport]) -> dict[str, object]:
    """Everything the demo found, for programs."""
    return {
        "simulation": True,
        "data": str(places.data),
        "runs": sum(wave.runs for wave in waves),
        "spans": sum(wave.spans for wave in waves),
        "decisions": [entry for entry in ledger(places) if entry["kind"] in VERDICTS],
        "skills": [_skill(skill, waves, _latest(places, skill)) for skill in PLANTED],
        "measured_lift": _latest(places, "*"),
        "snapshot": str(places.snapshots / "current.duckdb"),
        "report": str(places.report),
    }


def shown(places: Places, waves: list[WaveReport]) -> Iterator[RenderableType]:
    """The same for a person."""
    found = result(places, waves)
    yield Panel(
        f"{found['runs']} runs, {found['spans']} spans, {len(waves)} waves of a simulated fleet. "
        "No figure here says anything about a real model.",
        title="SIMULATION",
    )
    yield _verdicts(places)
    yield _skills(places, waves)
    yield Text(_lift(_latest(places, "*")))
    yield Text(f"\nreport    {places.report}\nsnapshot  {places.snapshots / 'current.duckdb'}")


def _verdicts(places: Places) -> Grid:
    grid = Grid("skill", "verdict", "candidate", "evidence", "difference in points", title="What was decided")
    for entry in ledger(places):
        if entry["kind"] in VERDICTS:
            units = f"{entry['candidate_units']} + {entry['incumbent_units']} units"
            kind = str(entry["kind"]).replace("_", " ")
            interval = f"{_points(entry['estimate'])} ({_points(entry['lower'])} to {_points(entry['upper'])})"
            grid.add_row(str(entry["skill"]), kind, _model(entry["candidate_arm"]), units, interval)
    return grid


def _skills(places: Places, waves: list[WaveReport]) -> Grid:
    grid = Grid(
        "skill",
        "planted truth",
        "launch",
        "last wave",
        "best possible",
        "measured lift over the holdout",
        title="Did the loop find what was planted? (launch, last wave, best: true rates, hidden from the wheel)",
    )
    for skill, truth in PLANTED.items():
        row = _skill(skill, waves, _latest(places, skill))
        grid.add_row(skill, truth.expected, *(_percent(row[name]) for name in ("launch", "served", "best")), _lift(row))
    return grid


def _skill(skill: str, waves: list[WaveReport], momentum: Row) -> Row:
    last = waves[-1].skills[skill]
    return {
        "skill": skill,
        "expected": PLANTED[skill].expected,
        "launch": waves[0].skills[skill].baseline,
        "served": last.served.mean,
        "best": last.best,
        **{name: momentum.get(name) for name in ("lift", "lower", "upper", "standing")},
    }


def _latest(places: Places, skill: str) -> Row:
    rows = [row for row in Lake(places.lake).read(MOMENTUM).to_pylist() if row["skill"] == skill]
    return rows[-1] if rows else {}


def _lift(row: Row) -> str:
    if row.get("lift") is None:
        return "not measured"
    interval = f"{_points(row['lower'])} to {_points(row['upper'])}" if row["lower"] is not None else "no interval"
    words = f"{_points(row['lift'])} points ({interval}): {row['standing']}"
    return f"all skills: {words}" if row.get("skill") == "*" else words


def _points(value: object) -> str:
    return "–" if value is None else f"{100 * float(str(value)):+.1f}"


def _percent(value: object) -> str:
    return "–" if value is None else f"{100 * float(str(value)):.0f} %"


def _model(arm: object) -> str:
    model, prompt, _ = str(arm).split("|")
    return f"{model}, prompt {prompt}"
