"""The scorer's arithmetic, as `tables/documents/scorer.py` specifies it and `docs/decide.mjs` repeats it."""

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from math import isfinite, sqrt
from operator import mul
from typing import Any, NamedTuple, cast
from zlib import crc32

MOST_BYTES = 4096
PREFIX = "scored/"
_word = re.compile(rb"[a-z0-9\x80-\xff]+").findall
_digit = re.compile(rb"[0-9]").findall


class ArmRule(NamedTuple):
    """What speaks for an arm: bias, weights by bucket, and by context key those of its values or numbers."""

    arm: str
    bias: float
    weights: list[int]
    context: tuple[tuple[str, Mapping[str, float]], ...]
    numbers: tuple[tuple[str, Sequence[float]], ...]


class Scores(NamedTuple):
    """A scorer made ready. `numbers`: by context key, each number's centre and reach."""

    buckets: int
    unit: float
    arms: tuple[ArmRule, ...]
    numbers: tuple[tuple[str, tuple[tuple[float, float], ...]], ...] = ()

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
        away = {key: _away(context.get(key), known) for key, known in self.numbers}
        best, chosen = float("-inf"), ""
        for arm, bias, weights, by_key, by_number in self.arms:
            added = measured = 0.0
            for key, values in by_key:
                value = entries.get(key)
                if isinstance(value, str):
                    added += values.get(value, 0.0)
            for key, slopes in by_number:
                # One after the other: `sum` compensates for rounding, which other languages do not.
                *_, measured = accumulate(map(mul, slopes, away[key]), initial=measured)
            words_say = self.unit * sum([weights[one] for one in found]) / root if weights else 0.0
            score = bias + words_say + added + measured
            if score > best:
                best, chosen = score, arm
        return chosen


def _away(value: object, known: tuple[tuple[float, float], ...]) -> list[float]:
    """Each number's deviation from its centre, cut at its reach; zero where the entry is not these numbers."""
    parts: Sequence[Any] = cast("Sequence[Any]", value) if isinstance(value, (list, tuple)) else (value,)
    if len(parts) != len(known) or not _finite(parts):
        return [0.0] * len(known)
    return [
        away if -reach <= (away := part - centre) <= reach else reach if away > 0 else -reach
        for part, (centre, reach) in zip(parts, known, strict=True)
    ]


def _finite(parts: Sequence[Any]) -> bool:
    """Whether all are numbers that a float holds; an integer may be too large for one."""
    kinds = set(map(type, parts))
    numbers = kinds <= {float, int} or all(issubclass(kind, (float, int)) and kind is not bool for kind in kinds)
    try:
        return numbers and all(map(isfinite, parts))
    except OverflowError:
        return False


def ready(scorer: Mapping[str, Any]) -> Scores:
    """Read a published scorer. Raises ValueError, LookupError or TypeError where it is none."""
    numbers = {
        key: tuple(zip(known["centre"], known["reach"], strict=True))
        for key, known in sorted(scorer.get("numbers", {}).items())
    }
    arms = [
        ArmRule(
            arm["arm"],
            float(arm["bias"]),
            arm.get("weights", []),
            tuple(sorted(arm.get("context", {}).items())),
            tuple(sorted(arm.get("numbers", {}).items())),
        )
        for arm in scorer["arms"]
    ]
    if not arms or any(len(arm.weights) not in (0, scorer["buckets"]) for arm in arms):
        raise ValueError("a scorer has arms, and each a weight for every bucket or none")
    if any(len(weights) != len(numbers[key]) for arm in arms for key, weights in arm.numbers):
        raise ValueError("a scorer has a weight for each number of an entry, or none")
    return Scores(int(scorer["buckets"]), float(scorer["unit"]), tuple(arms), tuple(numbers.items()))
