"""A labelling queue that came back filled in: each answered line a statement of its author."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import ValidationError

from flywheel_assets.sources.foreign import Foreign, Piece, Record, Refused
from flywheel_assets.sources.scan import explain
from flywheel_assets.tables.documents.anchors import ANCHOR
from flywheel_assets.tables.documents.feedback import PostedFeedback
from flywheel_assets.tables.documents.queue import ANCHORS, FILLED, GUARD, LABEL, MARK, QUEUES, UNCLEAR, WORDS


def _recognises(values: Sequence[object]) -> bool:
    return any(isinstance(value, dict) and MARK in value for value in values)


def _read(records: Iterable[Record], _content: bool) -> Iterator[Piece]:
    for record in records:
        line = record.value
        if record.fault is not None or not isinstance(line, dict):
            yield Refused(record.where, record.fault or "not an object", line)
            continue
        filled = {name: str(line[name]).strip() for name in FILLED if line.get(name) not in (None, "")}
        if not any(filled.get(name) for name in FILLED if name != "author"):
            continue
        try:
            yield statement(line, filled, record.at)
        except ValidationError as error:
            yield Refused(record.where, explain(error), line)
        except ValueError as error:
            yield Refused(record.where, str(error), line)


def statement(line: Mapping[str, object], filled: Mapping[str, str], at: object) -> PostedFeedback:
    """What a filled line says; `at` is when it was observed. Raises ValueError that says what to write instead."""
    queue, value = line.get(MARK), _value(filled)
    if queue not in QUEUES:
        raise ValueError(f"{MARK} {queue!r} is none of {', '.join(QUEUES)}: leave it as it was")
    if not filled.get("author"):
        raise ValueError("author: write who says so")
    unclear = WORDS.get(filled.get("verdict", "").lower(), 0.0) is None
    corrected = filled.get("correction", "").removeprefix(GUARD)
    said = {
        "target_kind": line.get("target_kind"),
        "target_id": line.get("target_id"),
        "name": ANCHOR if queue == ANCHORS else LABEL,
        "value": value,
        "value_text": UNCLEAR if unclear else None,
        "comment": filled.get("comment", "").removeprefix(GUARD) or None,
        "correction": {"after": corrected} if corrected else None,
        "tier": "human",
        "author_id": filled["author"],
        "observed_at": at,
        "day": line.get("day") or None,
    }
    return PostedFeedback.model_validate(said)


def _value(filled: Mapping[str, str]) -> float | None:
    verdict, number = filled.get("verdict", "").lower(), filled.get("value")
    if verdict and verdict not in WORDS:
        raise ValueError(f"verdict {verdict!r} is none of {', '.join(WORDS)}")
    if number is None:
        return WORDS.get(verdict)
    try:
        value = float(number.replace(",", "."))
    except ValueError:
        raise ValueError(f"value {number!r} is not a number from 0 to 1") from None
    if verdict and (WORDS[verdict] is None or abs(value - float(WORDS[verdict] or 0)) > 0.5):
        raise ValueError(f"verdict {verdict} and value {number} contradict each other: write one of them")
    return value


FORM = Foreign("labelling_queue", _recognises, _read, dated=True)
