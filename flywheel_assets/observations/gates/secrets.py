"""Finds credentials in the example's texts so that they are redacted before anything is written.

The example stays evidence: that an agent saw a key says nothing about how well it worked. But its
text is marked, and marked text never reaches a prompt.
"""

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.secret_patterns import PREFILTER, find_secrets
from flywheel_assets.observations.texts import TEXT_FIELDS, Stretch, by_row
from flywheel_assets.observations.verdict import ALLOW, Offset, Verdict, remark


@dataclass(frozen=True, slots=True)
class Secrets:
    """A remark with the offsets of every credential, and of its other occurrences in the same example."""

    name: str = "secrets"
    version: str = "2"
    order: int = 30
    by_row: bool = True

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """Each distinct text is searched once, and only if the prefilter finds a hint in it."""
        rows = evidence.rows
        found: dict[int, list[tuple[str, Stretch]]] = {}
        for field in TEXT_FIELDS:
            for row, secrets in by_row(rows[field], PREFILTER, _search).items():
                found.setdefault(row, []).extend((field, secret) for secret in secrets)
        verdicts = [ALLOW] * rows.num_rows
        for row, secrets in found.items():
            texts = {field: rows[field][row].as_py() or "" for field in TEXT_FIELDS}
            verdicts[row] = _remark(texts, secrets)
        return verdicts


def _search(texts: pa.Array) -> dict[int, list[Stretch]]:
    """Secrets by position, for texts that have any."""
    return {code: found for code, text in enumerate(texts.to_pylist()) if (found := find_secrets(text))}


def _remark(texts: dict[str, str], secrets: list[tuple[str, Stretch]]) -> Verdict:
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
