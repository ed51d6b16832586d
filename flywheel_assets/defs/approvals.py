"""What people answered, and which promotions they want undone: append-only files beside the lake."""

import json
from datetime import datetime
from pathlib import Path

from flywheel_assets.lake.places import Places


def said_files(places: Places) -> tuple[Path, Path]:
    """The files, whether or not they are there."""
    return places.data / "approvals.jsonl", places.data / "rollbacks.jsonl"


def approvals(places: Places) -> dict[str, bool]:
    """The newest answer per experiment; none without the file."""
    path, _ = said_files(places)
    lines = path.read_text().splitlines() if path.exists() else []
    answers = [json.loads(line) for line in lines if line.strip()]
    return {answer["experiment_id"]: bool(answer["approved"]) for answer in answers}


def rollbacks(places: Places) -> dict[str, str]:
    """Who asked, by experiment, for its promotion to be undone; none without the file."""
    _, path = said_files(places)
    lines = path.read_text().splitlines() if path.exists() else []
    asked = [json.loads(line) for line in lines if line.strip()]
    return {one["experiment_id"]: str(one["by"]) for one in asked}


def ask_rollback(places: Places, experiment: str, *, by: str, at: datetime, comment: str = "") -> None:
    """Write down that a promotion is to be undone; the next turn does it."""
    _append(said_files(places)[1], {"experiment_id": experiment}, by, at, comment)


def answer(  # noqa: PLR0913 - who, what, when and why
    places: Places, experiment: str, *, approved: bool, by: str, at: datetime, comment: str = ""
) -> None:
    """Write an answer down; an earlier one stays in the file."""
    _append(said_files(places)[0], {"experiment_id": experiment, "approved": approved}, by, at, comment)


def _append(path: Path, said: dict[str, object], by: str, at: datetime, comment: str) -> None:
    why = {"comment": comment} if comment else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(said | {"by": by, "at": at.isoformat()} | why) + "\n")
