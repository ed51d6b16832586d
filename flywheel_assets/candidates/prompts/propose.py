"""Which prompt of each skill is worth a trial: lessons and demonstrations from admitted observations."""

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.candidates.prompts.compile import compile_prompt, lessons_in
from flywheel_assets.candidates.prompts.demonstrations import demonstrations
from flywheel_assets.candidates.prompts.incumbent import IncumbentPrompt
from flywheel_assets.candidates.prompts.lessons import CITED, lessons
from flywheel_assets.candidates.prompts.material import Run, settled, usable
from flywheel_assets.candidates.prompts.pairs import pairs, replacements
from flywheel_assets.candidates.prompts.rows import hash_of, row_of
from flywheel_assets.candidates.prompts.taught import identity, records
from flywheel_assets.tables.documents.routing import prompt_version
from flywheel_assets.tables.documents.skills_file import SkillsFile
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES

# Runs of a skill needed before anything is learned from them, and of each polarity among them.
LEAST_RUNS, LEAST_OF_EACH = 50, 8
MOST_LESSONS, MOST_KEPT, MOST_DEMONSTRATIONS = 6, 6, 4
# Stands for a prompt in production that nobody stated: nothing is learned for it.
UNKNOWN = "-"
COLUMNS = (
    "run_id",
    "start_time",
    "session_id",
    "skill",
    "prompt_version",
    "input_text",
    "output_text",
    "error_type",
    "grain",
    "redacted",
    "remarks",
    "outcome",
    "confidence",
    "weight",
)


def teaching(con: duckdb.DuckDBPyConnection, incumbents: Mapping[str, IncumbentPrompt]) -> pa.Table:
    """COLUMNS of `gated_observations` on `con`, of skills whose prompt is known: texts of others are not read."""
    names = sorted(name for name, one in incumbents.items() if one.version != UNKNOWN)
    schema = pa.schema([GATED_OBSERVATIONS.schema.field(name) for name in COLUMNS])
    if not names:
        return schema.empty_table()
    places = ", ".join("?" * len(names))
    asked = f"SELECT {', '.join(COLUMNS)} FROM gated_observations WHERE skill IN ({places})"
    return con.execute(asked, names).to_arrow_table().cast(schema)


def propose_prompts(
    observations: pa.Table,
    skills: SkillsFile,
    incumbents: Mapping[str, IncumbentPrompt],
    tried_versions: frozenset[str] = frozenset(),
    corrections: Mapping[str, str] | None = None,
) -> pa.Table:
    """PROMPT_CANDIDATES: one row per skill, the prompt compiled or why there is none.

    `observations` has at least the columns COLUMNS of GATED_OBSERVATIONS. A text changes only when
    the evidence has doubled, and one that was tried is not proposed again (its row keeps the text).
    `corrections` has, by run id, what would have been the right answer.
    """
    seen: dict[str, list[dict[str, Any]]] = {name: [] for name in skills.skills if name in incumbents}
    taught = pa.array([name for name in seen if incumbents[name].version != UNKNOWN], pa.string())
    for row in observations.select(COLUMNS).filter(pc.field("skill").isin(taught)).to_pylist():
        seen[row["skill"]].append(row)
    shown = corrections or {}
    rows = [_compiled(name, usable(seen[name]), incumbents[name], tried_versions, shown) for name in sorted(seen)]
    return PROMPT_CANDIDATES.conform(PROMPT_CANDIDATES.rows(rows))


def _compiled(
    name: str, runs: list[Run], incumbent: IncumbentPrompt, tried: frozenset[str], corrections: Mapping[str, str]
) -> dict[str, object]:
    # What failed under another prompt may have been mended since: only runs on this one teach.
    ours = [run for run in runs if run.prompt_version == incumbent.version]
    basis = settled(ours, LEAST_RUNS)
    good = sum(run.good for run in basis)
    counts = f"{len(ours)} usable runs on prompt {incumbent.version}"
    if incumbent.version == UNKNOWN:
        return _refused(name, incumbent, "the prompt in production is unknown: set baseline_prompt in skills.yaml")
    if not basis:
        return _refused(name, incumbent, f"too few: {counts}, {LEAST_RUNS} are needed")
    if min(good, len(basis) - good) < LEAST_OF_EACH:
        polarity = f"{good} successes and {len(basis) - good} failures among the first {len(basis)}"
        return _refused(name, incumbent, f"one-sided: {polarity}, {LEAST_OF_EACH} of each are needed")
    so_far = records(runs, {**incumbent.known, incumbent.version: incumbent.text})
    retired = {lesson for lesson, record in so_far.items() if record.retired}
    found = [*replacements(pairs(basis, corrections), MOST_LESSONS), *lessons(basis, MOST_LESSONS)]
    marks = [one for one in found if identity(one.lesson) not in retired][:MOST_LESSONS]
    examples = demonstrations(basis, MOST_DEMONSTRATIONS)
    learned = [mark.lesson for mark in marks]
    # The same lesson may come back with other counts.
    gone = retired | {identity(lesson) for lesson in learned}
    kept = [old for old in lessons_in(incumbent.text) if identity(old) not in gone][:MOST_KEPT]
    text = compile_prompt(incumbent.text, [*learned, *kept], examples)
    version = prompt_version(text)
    if not marks and not examples and not retired:
        return _refused(name, incumbent, f"nothing to teach: no recurrent failure and no short success in {counts}")
    if version == incumbent.version:
        return _refused(
            name, incumbent, "the prompt in production says it all: the next is made when runs have doubled"
        )
    cited = {run_id for mark in marks for run_id in mark.run_ids[:CITED]} | {run.run_id for run in examples}
    made = f"{len(marks)} lessons and {len(examples)} examples from {len(basis)} runs ({good} successes)"
    made += "".join(f"; retired: {so_far[lesson].said(lesson)}" for lesson in sorted(retired))
    before = "on trial or tried before; the next is made when runs have doubled. It has "
    return row_of(name, version, incumbent, text) | {
        "lessons": [*learned, *(so_far[identity(old)].said(old) for old in kept)],
        "demonstrations": len(examples),
        "source_run_ids": sorted(cited),
        "support": float(sum(run.weight for run in basis)),
        "state": "refused" if version in tried else "proposed",
        "reason": before + made if version in tried else made,
    }


def _refused(name: str, incumbent: IncumbentPrompt, reason: str) -> dict[str, object]:
    row = row_of(name, "-", incumbent, None)
    return row | {"candidate_id": hash_of(name, f"refused\n{incumbent.version}"), "state": "refused", "reason": reason}
