"""Judges beside people: a day's sums, and over all days what judges say, corrected, or why it cannot be."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from flywheel_assets.examples.prediction_powered import Sums, corrected_mean
from flywheel_assets.examples.rogan_gladen import Answers, Share, rogan_gladen
from flywheel_assets.tables.documents.anchors import ANCHOR, DRAWN
from flywheel_assets.tables.judge_corrections import JUDGE_CORRECTIONS
from flywheel_assets.tables.judge_day_stats import JUDGE_DAY_STATS, SUMS

HERE = Path(__file__).parent
# With fewer answers the interval's normal approximation does not hold.
LEAST_ANCHORS = 30
UNKNOWN = "-"
WHOLE = ("skill", "arm", "author_id", "author_version", "name", "judged", "last_said", "people")


def compare_judges(con: duckdb.DuckDBPyConnection, day: date) -> tuple[pa.Table]:
    """`judge_day_stats` of the day from `agent_runs`, `feedback` and `label_settings`."""
    if not con.execute("SELECT 1 FROM feedback WHERE tier = 'judge' LIMIT 1").fetchall():
        return (JUDGE_DAY_STATS.empty(),)
    sums = ", ".join(
        _sum(column.name) for column in SUMS if "positive" not in column.name and "both" not in column.name
    )
    sql = (HERE / "judged.sql").read_text().replace("{drawn}", DRAWN).replace("{sums}", sums)
    found = con.execute(sql, {"day": day, "anchor": ANCHOR}).to_arrow_table()
    return (JUDGE_DAY_STATS.conform(found.cast(JUDGE_DAY_STATS.schema)),)


def _sum(name: str) -> str:
    """SQL of a sum over sessions: 'free_nf' is Σ n × f over sessions of runs without an answer."""
    kind, _, letters = name.partition("_")
    whose = "anchored" if kind == "anchor" else "NOT anchored"
    return f"coalesce(sum({' * '.join(letters)}) FILTER ({whose}), 0) AS {name}"


def correct_judges(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """`judge_corrections` from `judge_day_stats`: each skill × arm, and each skill over its arms."""
    found = con.execute((HERE / "judges.sql").read_text())
    names = [column[0] for column in found.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    newest = {
        (row["author_id"], row["name"]): row["author_version"] for row in sorted(rows, key=lambda row: row["last_said"])
    }
    told = [{**_known(row), **_correction(row, newest[row["author_id"], row["name"]])} for row in rows]
    return JUDGE_CORRECTIONS.conform(JUDGE_CORRECTIONS.rows(told))


def _known(row: Mapping[str, Any]) -> dict[str, object]:
    anchored, free, answers = Sums.of(row, "anchor_"), Sums.of(row, "free_"), _answers(row)
    return {
        **{name: row[name] for name in WHOLE},
        "anchored": round(anchored.n),
        "judge_rate": (anchored.f + free.f) / row["judged"],
        "human_rate": anchored.y / anchored.n if anchored.n else None,
        "sensitivity": answers.sensitivity,
        "specificity": answers.specificity,
    }


def _correction(row: Mapping[str, Any], newest: str) -> dict[str, object]:
    anchored, version = Sums.of(row, "anchor_"), row["author_version"]
    if version != newest:
        reason = f"the judge is now version {newest}: what corrected this one says nothing of it"
        return {"state": "superseded", "reason": reason, "rg_reason": reason}
    if version == UNKNOWN:
        reason = "the judge states no version: nobody could tell when its correction ceases to hold"
        return {"state": "missing", "reason": reason, "rg_reason": reason}
    if anchored.n < LEAST_ANCHORS:
        reason = f"{anchored.n:.0f} of this version's runs have a person's answer, {LEAST_ANCHORS} are needed"
        return {"state": "missing", "reason": reason, "rg_reason": reason}
    mean = corrected_mean(anchored, Sums.of(row, "free_"))
    limits = {"rate": mean.rate, "lower": mean.lower, "upper": mean.upper}
    reason = f"by {anchored.n:.0f} random runs that {len(row['people'])} people answered"
    told = {name: min(max(value, 0.0), 1.0) for name, value in limits.items()}
    return {**told, "trust": mean.trust, "state": "corrected", "reason": reason, **dict(_share(_answers(row)))}


def _share(answers: Answers) -> Iterator[tuple[str, object]]:
    found = rogan_gladen(answers)
    if isinstance(found, Share):
        yield from (("rg_rate", found.rate), ("rg_lower", found.lower), ("rg_upper", found.upper))
    else:
        yield "rg_reason", found


def _answers(row: Mapping[str, Any]) -> Answers:
    both = ("both_positive", "judge_positive", "person_positive", "both_negative")
    positive = row["free_positive"] + row["both_positive"] + row["judge_positive"]
    return Answers(int(positive), int(row["judged"]), *(int(row[name]) for name in both))
