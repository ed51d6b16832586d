"""`flywheel labels …`: what people are asked, and their answers, as files that any spreadsheet opens."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import yaml
from rich.table import Table as Grid
from rich.text import Text

from flywheel_assets.commands.envelope import NOT_FOUND, USAGE, Answer, RefusedError
from flywheel_assets.examples.questions import READS, Asked, questions
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.observations.personal import find_personal
from flywheel_assets.observations.secret_patterns import find_secrets
from flywheel_assets.sources.imports.labelling_queue import statement
from flywheel_assets.sources.ingest import ingest
from flywheel_assets.sources.queues import write_queue
from flywheel_assets.sources.spool import Spool
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.documents.queue import FILLED, MARK, QUEUES
from flywheel_assets.tables.documents.skills_file import SkillsFile

LONGEST = 120


def asked_for(places: Places, queue: str, most: int, days: int) -> list[dict[str, object]]:
    """The queue's open questions."""
    if queue not in QUEUES:
        raise RefusedError(f"no queue {queue!r}", [f"one of {', '.join(QUEUES)}"], USAGE)
    stated = places.skills_file
    skills = SkillsFile.model_validate(yaml.safe_load(stated.read_text()) or {} if stated.exists() else {})
    asked = Asked(queue, datetime.now(UTC).date(), most, days, skills.anchor_share)
    return questions(Lake(places.lake).connect(READS[queue]), asked, (find_secrets, find_personal))


def listed(places: Places, queue: str, most: int, days: int) -> Answer:
    """Show them."""
    rows = asked_for(places, queue, most, days)
    grid = Grid("target_id", "day", "skill", "why", "request", "answer", box=None)
    for row in rows:
        texts = (str(row[name])[:LONGEST] for name in ("request", "answer"))
        grid.add_row(*(str(row[name]) for name in ("target_id", "day", "skill", "why")), *texts)
    actions = [f"flywheel labels export {queue} FILE.csv   to fill in"] if rows else []
    return Answer(rows, [grid if rows else Text("Nobody has to be asked.")], actions)


def exported(places: Places, queue: str, path: Path, most: int, days: int) -> Answer:
    """Write them to a file."""
    if path.suffix not in (".csv", ".jsonl"):
        raise RefusedError(f"{path} is neither .csv nor .jsonl", [], USAGE)
    count = write_queue(path, asked_for(places, queue, most, days))
    shown = Text(f"{count} questions in {path}: fill in {', '.join(FILLED)}")
    return Answer({"questions": count, "path": path}, [shown], [f"flywheel labels ingest {path}"] if count else [])


def answered(places: Places, queue: str, run: str, filled: Mapping[str, str]) -> Answer:
    """Take one answer about a run, in the words of a queue's columns; kept as a filled line of a file is."""
    if queue not in QUEUES:
        raise RefusedError(f"no queue {queue!r}", [f"one of {', '.join(QUEUES)}"], USAGE)
    sql = "SELECT day FROM agent_runs WHERE run_id = $run"
    found = Lake(places.lake).connect([AGENT_RUNS]).execute(sql, {"run": run}).fetchall()
    if not found:
        raise RefusedError(f"no run {run!r}", [f"flywheel labels list {queue}"], NOT_FOUND)
    line = {MARK: queue, "target_kind": "run", "target_id": run, "day": found[0][0]}
    try:
        posted = statement(line, filled, datetime.now(UTC))
    except ValueError as error:
        raise RefusedError(str(error), [], USAGE) from error
    spool = Spool(places.inbox)
    try:
        spool.append(posted.model_dump_json().encode(), "feedback", "labels")
    finally:
        spool.close()
    return Answer({"queue": queue, "run": run, **filled}, [Text("kept")], ["flywheel run"])


def taken(places: Places, path: Path) -> Answer:
    """Take a filled file; the next turn labels by it."""
    if not path.exists():
        raise RefusedError(f"{path} does not exist", ["flywheel labels export QUEUE FILE.csv   writes one"], NOT_FOUND)
    done = ingest(path, places.inbox)
    told = done.translated.get(str(path))
    if told is None or told.form != "labelling_queue":
        raise RefusedError(f"{path} is no labelling queue", ["flywheel ingest PATH   takes anything else"], USAGE)
    result = {"answers": told.feedback, "set_aside": told.set_aside, "reasons": told.reasons}
    shown = [Text(f"{told.feedback} answers taken, {told.set_aside} lines set aside")]
    shown += [Text(f"  {count} × {reason}") for reason, count in told.reasons.items()]
    return Answer(result, shown, ["flywheel run"] if told.feedback else [], ok=not told.set_aside)
