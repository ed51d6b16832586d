"""Finds credentials in the example's texts so that they are redacted before anything is written.

The example stays evidence: that an agent saw a key says nothing about how well it worked. But its
text is marked, and marked text never reaches a prompt.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.secret_patterns import PREFILTER, Secret, find_secrets
from flywheel_assets.observations.verdict import ALLOW, Offset, Verdict, remark

# The fields in which others' text travels; identifiers and enumerations hold none.
TEXT_FIELDS = ("input_text", "output_text", "error_type")


@dataclass(frozen=True, slots=True)
class Secrets:
    """A remark with the offsets of every credential, and of its other occurrences in the same example."""

    name: str = "secrets"
    version: str = "1"
    order: int = 30
    by_row: bool = True

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """Each distinct text is searched once, and only if the prefilter finds a hint in it."""
        rows = evidence.rows
        found: dict[int, list[tuple[str, Secret]]] = {}
        for field in TEXT_FIELDS:
            for row, secrets in _search(rows[field]).items():
                found.setdefault(row, []).extend((field, secret) for secret in secrets)
        verdicts = [ALLOW] * rows.num_rows
        for row, secrets in found.items():
            texts = {field: rows[field][row].as_py() or "" for field in TEXT_FIELDS}
            verdicts[row] = _remark(texts, secrets)
        return verdicts


def _search(column: pa.ChunkedArray) -> dict[int, list[Secret]]:
    """Secrets by row number, for rows that have any."""
    encoded = column.combine_chunks().dictionary_encode()
    texts = encoded.dictionary
    hinted = pc.match_substring_regex(texts, PREFILTER).to_numpy(zero_copy_only=False).nonzero()[0]
    secrets = {int(code): found for code in hinted if (found := find_secrets(texts[int(code)].as_py()))}
    if not secrets:
        return {}
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    hit = pc.is_in(encoded.indices, pa.array(list(secrets), pa.int32())).to_numpy(zero_copy_only=False)
    return {int(row): secrets[int(codes[row])] for row in hit.nonzero()[0]}


def _remark(texts: dict[str, str], secrets: list[tuple[str, Secret]]) -> Verdict:
    offsets = {Offset(field, secret.start, secret.end) for field, secret in secrets}
    # A password named once is often repeated without its name: short values would hit ordinary words.
    values = {texts[field][secret.start : secret.end] for field, secret in secrets}
    for value in values:
        if len(value) >= 6:
            offsets.update(_occurrences(texts, value))
    kinds = Counter(secret.kind for _, secret in secrets)
    detail = ", ".join(f"{count} × {kind}" for kind, count in sorted(kinds.items()))
    return remark("secret", detail, tuple(sorted(offsets)), 0.9)


def _occurrences(texts: dict[str, str], value: str) -> set[Offset]:
    found: set[Offset] = set()
    for field, text in texts.items():
        start = text.find(value)
        while start >= 0:
            found.add(Offset(field, start, start + len(value)))
            start = text.find(value, start + len(value))
    return found


GATE = Secrets()
