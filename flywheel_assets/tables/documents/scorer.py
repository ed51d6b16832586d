"""The scorer: a linear rule, small enough to publish, by which a route depends on what is asked.

A request's words are exact in every language: no lower-casing beyond ASCII, no floating point before
the last step. Its numbers are added in a fixed order. `client/scoring.py` and `docs/decide.mjs` do the
same; the vectors prove it.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt
from sys import float_info
from typing import Self
from zlib import crc32

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, model_validator

from flywheel_assets.tables.documents.arm import Arm

# No more of a request is read, so that a decision costs the same however long it is.
MOST_BYTES = 4096
# Longer lists say nothing. Embeddings are longer: their first dimensions, or a projection, serve as well.
MOST_NUMBERS = 1024
_WORD = re.compile(rb"[a-z0-9\x80-\xff]+")
_DIGIT = re.compile(rb"[0-9]")
# What stands before a contextual policy's hash where an arm has a model.
PREFIX = "scored/"


class Numbers(BaseModel):
    """A context entry that is a number, or as many numbers as this has: from which value each counts, and how far.

    A number adds (number - centre), cut at `reach` to either side, times the arm's weight.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    centre: tuple[float, ...] = Field(min_length=1, max_length=MOST_NUMBERS, description="What an absent entry has")
    reach: tuple[NonNegativeFloat, ...] = Field(description="No number says more than one so far from the centre")

    @model_validator(mode="after")
    def reach_fits(self) -> Self:
        """As many as there are centres."""
        if len(self.reach) != len(self.centre):
            raise ValueError(f"{len(self.centre)} centres and {len(self.reach)} reaches")
        return self

    def deviations(self, value: object) -> list[float]:
        """How far the entry's numbers are from the centres, cut; all zero where it is not these numbers."""
        found = numbers(value)
        if len(found) != len(self.centre):
            return [0.0] * len(self.centre)
        return [
            max(-reach, min(reach, one - centre))
            for one, centre, reach in zip(found, self.centre, self.reach, strict=True)
        ]


class ArmScore(BaseModel):
    """What speaks for one arm. `weights` are in units of `Scorer.unit`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arm: str = Field(description="'model|prompt version|tool schema'")
    bias: float = Field(description="Expected outcome where nothing else is known, minus the price of its cost")
    weights: tuple[int, ...] = Field(default=(), description="One per bucket; empty: the words do not matter")
    context: dict[str, dict[str, float]] = Field(default_factory=dict, description="Key → value → what it adds")
    numbers: dict[str, tuple[float, ...]] = Field(
        default_factory=dict, description="Key → what each number adds per unit of its deviation"
    )


class Scorer(BaseModel):
    """A rule that gives each arm a score and chooses the highest, the first of equals.

    Score = bias + unit × (sum of the arm's weights over the request's buckets) / √(number of buckets)
    + what each context entry that is text adds + what each that is a number or a list of numbers adds, from
    left to right; both start from zero, keys in the order of their bytes.
    Buckets: of the first 4096 bytes of the request in UTF-8, ASCII letters made lower case, words are
    the runs of [a-z0-9] and of bytes from 0x80. A word, and two neighbours joined by one space, give
    the bucket CRC-32 modulo `buckets`; each bucket counts once. Context entries '#length', '#digits',
    '#lines' are added: the bit lengths of the number of bytes, digits and line feeds among those bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    buckets: int = Field(ge=1, le=2**16)
    unit: float = Field(gt=0)
    arms: tuple[ArmScore, ...] = Field(min_length=1)
    numbers: dict[str, Numbers] = Field(default_factory=dict, description="Context entries that are numbers, by key")

    @model_validator(mode="after")
    def weights_fit(self) -> Self:
        """Every arm has a weight for each bucket, or none at all."""
        if any(len(arm.weights) not in (0, self.buckets) for arm in self.arms):
            raise ValueError(f"an arm has {self.buckets} weights or none")
        if any(
            key not in self.numbers or len(weights) != len(self.numbers[key].centre)
            for arm in self.arms
            for key, weights in arm.numbers.items()
        ):
            raise ValueError("an arm has a weight for each number of an entry, or none")
        return self

    def scores(self, text: str, context: Mapping[str, object]) -> list[float]:
        """The score of each arm, in their order."""
        found = buckets(text, self.buckets)
        entries = {**{key: value for key, value in context.items() if isinstance(value, str)}, **shape(text)}
        root = sqrt(len(found)) or 1.0
        away = {key: known.deviations(context.get(key)) for key, known in self.numbers.items()}
        return [
            arm.bias
            + (self.unit * sum(arm.weights[bucket] for bucket in found) / root if arm.weights else 0.0)
            + _added(arm.context, entries)
            + _measured(arm.numbers, away)
            for arm in self.arms
        ]

    def choose(self, text: str, context: Mapping[str, object]) -> str:
        """The arm with the highest score."""
        scores = self.scores(text, context)
        return self.arms[scores.index(max(scores))].arm

    def with_prompt(self, version: str) -> Self:
        """The same rule for arms with another prompt: a prompt that is promoted goes to all its models."""
        arms = tuple(
            one.model_copy(update={"arm": str(Arm.parse(one.arm).model_copy(update={"prompt_version": version}))})
            for one in self.arms
        )
        return self.model_copy(update={"arms": arms})


def _added(weights: Mapping[str, Mapping[str, float]], entries: Mapping[str, str]) -> float:
    """Summed in the order of the keys' bytes, so that rounding is the same everywhere."""
    total = 0.0
    for key in sorted(weights):
        total += weights[key].get(entries.get(key, ""), 0.0)
    return total


def _measured(weights: Mapping[str, Sequence[float]], away: Mapping[str, Sequence[float]]) -> float:
    """One product after the other: a library's sum may round otherwise."""
    total = 0.0
    for key in sorted(weights):
        for weight, deviation in zip(weights[key], away[key], strict=True):
            total += weight * deviation
    return total


def numbers(value: object) -> list[float]:
    """What a context entry says in numbers: one, several or, where any of it is none or not finite, nothing."""
    parts: Sequence[object] = value if isinstance(value, (list, tuple)) else [value]
    if len(parts) > MOST_NUMBERS:
        return []
    # An integer may be too large for a float, and a comparison is true of no NaN.
    found = [
        float(part)
        for part in parts
        if isinstance(part, (int, float)) and not isinstance(part, bool) and -float_info.max <= part <= float_info.max
    ]
    return found if len(found) == len(parts) else []


def left_out(cluster: str) -> bool:
    """Whether a session's runs (or a run by itself) are kept from learning: three in ten, on which a rule is judged."""
    return crc32(cluster.encode("utf-8", "surrogatepass")) % 10 < 3


def buckets(text: str, count: int) -> Sequence[int]:
    """The distinct buckets of a request, in ascending order."""
    words: list[bytes] = _WORD.findall(_read(text))
    pairs = [b" ".join(pair) for pair in pairwise(words)]
    return sorted({crc32(word) % count for word in (*words, *pairs)})


def shape(text: str) -> dict[str, str]:
    """Context entries that the text itself gives: all of it as classes, by powers of two."""
    read = _read(text)
    return {
        "#digits": str(len(_DIGIT.findall(read)).bit_length()),
        "#length": str(len(read).bit_length()),
        "#lines": str(read.count(b"\n").bit_length()),
    }


def _read(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")[:MOST_BYTES].lower()
