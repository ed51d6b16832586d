"""The scorer's arithmetic, as `tables/documents/scorer.py` specifies it and `docs/decide.mjs` repeats it."""

import re
from collections.abc import Mapping
from itertools import pairwise
from math import sqrt
from typing import Any, NamedTuple
from zlib import crc32

MOST_BYTES = 4096
PREFIX = "scored/"
_word = re.compile(rb"[a-z0-9\x80-\xff]+").findall
_digit = re.compile(rb"[0-9]").findall


class Scores(NamedTuple):
    """A scorer made ready: for each arm its name, bias, weights by bucket, and context weights by key."""

    buckets: int
    unit: float
    arms: tuple[tuple[str, float, list[int], tuple[tuple[str, Mapping[str, float]], ...]], ...]

    def choose(self, text: str, context: Mapping[str, object]) -> str:
        """The arm with the highest score, the first of equals."""
        read = text.encode("utf-8", "surrogatepass")[:MOST_BYTES].lower()
        words = _word(read)
        count = self.buckets
        found = {crc32(word) % count for word in words}
        found.update([crc32(one + b" " + two) % count for one, two in pairwise(words)])
        root = sqrt(len(found)) or 1.0
        entries: dict[str, object] = {
            **context,
            "#digits": str(len(_digit(read)).bit_length()),
            "#length": str(len(read).bit_length()),
            "#lines": str(read.count(b"\n").bit_length()),
        }
        best, chosen = float("-inf"), ""
        for arm, bias, weights, by_key in self.arms:
            added = 0.0
            for key, values in by_key:
                value = entries.get(key)
                if isinstance(value, str):
                    added += values.get(value, 0.0)
            score = bias + (self.unit * sum([weights[one] for one in found]) / root if weights else 0.0) + added
            if score > best:
                best, chosen = score, arm
        return chosen


def ready(scorer: Mapping[str, Any]) -> Scores:
    """Read a published scorer. Raises ValueError, LookupError or TypeError where it is none."""
    arms = [
        (arm["arm"], float(arm["bias"]), arm.get("weights", []), tuple(sorted(arm.get("context", {}).items())))
        for arm in scorer["arms"]
    ]
    if not arms or any(len(weights) not in (0, scorer["buckets"]) for _, _, weights, _ in arms):
        raise ValueError("a scorer has arms, and each a weight for every bucket or none")
    return Scores(int(scorer["buckets"]), float(scorer["unit"]), tuple(arms))
