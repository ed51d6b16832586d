"""The scorer: a linear rule, small enough to publish, by which a route depends on what is asked.

A request's features are exact in every language: no lower-casing beyond ASCII, no floating point
before the last step. `client/scoring.py` and `docs/decide.mjs` do the same; the vectors prove it.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import Self
from zlib import crc32

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flywheel_assets.tables.documents.arm import Arm

# No more of a request is read, so that a decision costs the same however long it is.
MOST_BYTES = 4096
_WORD = re.compile(rb"[a-z0-9\x80-\xff]+")
_DIGIT = re.compile(rb"[0-9]")
# What stands before a contextual policy's hash where an arm has a model.
PREFIX = "scored/"


class ArmScore(BaseModel):
    """What speaks for one arm. `weights` are in units of `Scorer.unit`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arm: str = Field(description="'model|prompt version|tool schema'")
    bias: float = Field(description="Expected outcome where nothing else is known, minus the price of its cost")
    weights: tuple[int, ...] = Field(default=(), description="One per bucket; empty: the words do not matter")
    context: dict[str, dict[str, float]] = Field(default_factory=dict, description="Key → value → what it adds")


class Scorer(BaseModel):
    """A rule that gives each arm a score and chooses the highest, the first of equals.

    Score = bias + unit × (sum of the arm's weights over the request's buckets) / √(number of buckets)
    + what each context entry adds, keys in the order of their bytes.
    Buckets: of the first 4096 bytes of the request in UTF-8, ASCII letters made lower case, words are
    the runs of [a-z0-9] and of bytes from 0x80. A word, and two neighbours joined by one space, give
    the bucket CRC-32 modulo `buckets`; each bucket counts once. Context entries '#length', '#digits',
    '#lines' are added: the bit lengths of the number of bytes, digits and line feeds among those bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    buckets: int = Field(ge=1, le=2**16)
    unit: float = Field(gt=0)
    arms: tuple[ArmScore, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def weights_fit(self) -> Self:
        """Every arm has a weight for each bucket, or none at all."""
        if any(len(arm.weights) not in (0, self.buckets) for arm in self.arms):
            raise ValueError(f"an arm has {self.buckets} weights or none")
        return self

    def scores(self, text: str, context: Mapping[str, object]) -> list[float]:
        """The score of each arm, in their order."""
        found = buckets(text, self.buckets)
        entries = {**{key: value for key, value in context.items() if isinstance(value, str)}, **shape(text)}
        root = sqrt(len(found)) or 1.0
        return [
            arm.bias
            + (self.unit * sum(arm.weights[bucket] for bucket in found) / root if arm.weights else 0.0)
            + _added(arm.context, entries)
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
