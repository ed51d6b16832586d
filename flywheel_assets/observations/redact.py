"""Takes what gates marked out of the texts, and withholds texts that a gate failed on."""

from collections.abc import Sequence

import pyarrow as pa

from flywheel_assets.observations.verdict import Offset, Verdict
from flywheel_assets.tables.gated_observations import REJECTIONS
from flywheel_assets.tables.table import FLAG, TEXT

MARK = "[redacted]"
WITHHELD = "[withheld: a gate failed on this example]"
_FIELDS = ("input_text", "output_text", "error_type")
_ADDED = ("state", "gate", "reason", "redacted")


def markable(verdict: Verdict) -> bool:
    """Whether all that the verdict marks is a stretch of a text field."""
    return all(offset.field in _FIELDS and 0 <= offset.start < offset.end for offset in verdict.offsets)


def redact(rows: pa.Table, verdicts: Sequence[Sequence[Verdict]]) -> tuple[pa.Table, pa.Array]:
    """The rows' facts with marked text replaced, and a flag per row that says whether any was.

    Where a gate raised, nobody knows what it would have marked: all text of the row is withheld.
    """
    offsets: dict[int, list[Offset]] = {}
    failed: set[int] = set()
    for judged in verdicts:
        for row, verdict in enumerate(judged):
            if verdict.offsets:
                offsets.setdefault(row, []).extend(verdict.offsets)
            if verdict.reason == "gate_error":
                failed.add(row)
    facts = rows.select([name for name in REJECTIONS.names if name not in _ADDED])
    for field in _FIELDS if offsets or failed else ():
        texts = facts[field].to_pylist()
        for row, marked in offsets.items():
            texts[row] = _cut(texts[row], [offset for offset in marked if offset.field == field])
        for row in failed:
            texts[row] = None if texts[row] is None else WITHHELD
        facts = facts.set_column(facts.column_names.index(field), field, pa.array(texts, TEXT))
    return facts, pa.array([row in offsets or row in failed for row in range(rows.num_rows)], FLAG)


def _cut(text: str | None, marked: Sequence[Offset]) -> str | None:
    if text is None:
        return None
    parts: list[str] = []
    end = 0
    for offset in sorted(marked, key=lambda offset: (offset.start, -offset.end)):
        if offset.end <= end:
            continue
        if offset.start >= end:
            parts += [text[end : offset.start], MARK]
        end = offset.end
    return "".join([*parts, text[end:]])
