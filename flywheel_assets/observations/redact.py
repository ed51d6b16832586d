"""Takes what gates marked out of the texts, and withholds texts that a gate failed on."""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.judged import Judged
from flywheel_assets.observations.texts import TEXT_FIELDS
from flywheel_assets.observations.verdict import Offset, Verdict
from flywheel_assets.tables.gated_observations import REJECTIONS
from flywheel_assets.tables.table import FLAG, TEXT

MARK = "[redacted]"
WITHHELD = "[withheld: a gate failed on this example]"
_ADDED = ("state", "gate", "reason", "redacted")


def markable(verdict: Verdict) -> bool:
    """Whether all that the verdict marks is a stretch of a text field."""
    return all(offset.field in TEXT_FIELDS and 0 <= offset.start < offset.end for offset in verdict.offsets)


def redact(rows: pa.Table, verdicts: Judged) -> tuple[pa.Table, pa.Array]:
    """The rows' facts with marked text replaced, and a flag per row that says whether any was.

    Where a gate raised, nobody knows what it would have marked: all text of the row is withheld.
    """
    marked = verdicts.where(lambda verdict: bool(verdict.offsets))
    failed = verdicts.where(lambda verdict: verdict.reason == "gate_error").any(axis=1)
    withheld = set(np.flatnonzero(failed).tolist())
    touched = failed | marked.any(axis=1)
    facts = rows.select([name for name in REJECTIONS.names if name not in _ADDED])
    for field in TEXT_FIELDS if touched.any() else ():
        texts = facts[field].combine_chunks()
        cut: list[str | None] = []
        for row in np.flatnonzero(touched).tolist():
            text = texts[row].as_py()
            said = verdicts.of(np.full(marked.shape[1], row), np.arange(marked.shape[1]))
            offsets = [offset for verdict in said for offset in verdict.offsets if offset.field == field]
            cut.append(None if text is None else WITHHELD if row in withheld else _cut(text, offsets))
        replaced = pc.replace_with_mask(texts, pa.array(touched), pa.array(cut, TEXT))
        facts = facts.set_column(facts.column_names.index(field), field, replaced)
    return facts, pa.array(touched, FLAG)


def _cut(text: str, marked: Sequence[Offset]) -> str:
    parts: list[str] = []
    end = 0
    for offset in sorted(marked, key=lambda offset: (offset.start, -offset.end)):
        if offset.end <= end:
            continue
        if offset.start >= end:
            parts += [text[end : offset.start], MARK]
        end = offset.end
    return "".join([*parts, text[end:]])
