"""Which attribute key feeds which column, and where such keys are in a column of them."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from flywheel_assets.spans.dialect import ByName, Named, Rule
from flywheel_assets.spans.registry import dialects_in_order

# A column of `raw_spans`, or a rule's number in `rules`.
Slot = str | int


@dataclass(frozen=True, slots=True)
class Feed:
    """A slot that a key feeds; of several present, the least `rank` is believed."""

    slot: Slot
    rank: tuple[int, int]


@cache
def rules() -> tuple[tuple[str, Rule], ...]:
    """All rules that tell the operation, with their dialect, most believed first."""
    return tuple((dialect.name, rule) for dialect in dialects_in_order() for rule in dialect.operations)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an attribute's JSON object that feeds a column."""

    name: str
    column: str
    dialect: str


@cache
def members() -> dict[str, list[Member]]:
    """For each attribute with a JSON object: its members that feed columns, most believed first."""
    found: dict[str, list[Member]] = {}
    for dialect in dialects_in_order():
        for column, wanted in dialect.columns.items():
            for key, _, name in (one.partition("#") for one in wanted if "#" in one):
                found.setdefault(key, []).append(Member(name, column, dialect.name))
    return found


@cache
def named() -> tuple[tuple[str, Named], ...]:
    """What names a column on spans of some operation, with the dialect that has to have told it."""
    return tuple((dialect.name, one) for dialect in dialects_in_order() for one in dialect.named)


@cache
def only() -> dict[str, tuple[str, ...]]:
    """Keys that say something with these values alone."""
    return {key: values for dialect in dialects_in_order() for key, values in dialect.only.items()}


@cache
def scales() -> dict[str, float]:
    """What a key's number is multiplied by."""
    return {key: factor for dialect in dialects_in_order() for key, factor in dialect.scales.items()}


@cache
def quoted() -> frozenset[str]:
    """Keys whose values are JSON texts."""
    return frozenset(
        key.partition("#")[0]
        for dialect in dialects_in_order()
        if dialect.quoted
        for key in (
            *(one for wanted in dialect.columns.values() for one in wanted),
            *(rule.key for rule in dialect.operations if not isinstance(rule, ByName)),
        )
    )


@cache
def _plans() -> tuple[dict[str, list[Feed]], list[tuple[re.Pattern[str], Feed]]]:
    exact: dict[str, list[Feed]] = {}
    patterns: list[tuple[re.Pattern[str], Feed]] = []
    ranks: dict[str, int] = {}
    for dialect in dialects_in_order():
        for column, wanted in dialect.columns.items():
            for key in (one for one in wanted if "#" not in one):
                ranks[column] = ranks.get(column, 0) + 1
                _plan(exact, patterns, key, Feed(column, (ranks[column], 0)))
    for number, (_, rule) in enumerate(rules()):
        key = rule.requires if isinstance(rule, ByName) else rule.key
        if key is not None:
            _plan(exact, patterns, key, Feed(number, (0, 0)))
    return exact, patterns


def _plan(exact: dict[str, list[Feed]], patterns: list[tuple[re.Pattern[str], Feed]], key: str, feed: Feed) -> None:
    if "<i>" in key:
        patterns.append((re.compile(re.escape(key).replace("<i>", r"(\d+)")), feed))
    else:
        exact.setdefault(key, []).append(feed)


@lru_cache(65_536)
def feeds(key: str) -> tuple[Feed, ...]:
    """The slots that `key` feeds."""
    exact, patterns = _plans()
    found = exact.get(key, [])
    if any(letter.isdigit() for letter in key):
        matched = ((pattern.fullmatch(key), feed) for pattern, feed in patterns)
        found = found + [Feed(feed.slot, (feed.rank[0], -int(match.group(1)))) for match, feed in matched if match]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Placed:
    """Positions of the entries that feed a slot, one array per key, least believed first."""

    entries: dict[Slot, list[np.ndarray]]

    def chosen(self, slot: Slot, owner_of: np.ndarray, owners: int) -> np.ndarray | None:
        """For each owner the position of its most believed entry, -1 where it has none; None: no entries."""
        groups = self.entries.get(slot)
        if not groups:
            return None
        positions = np.full(owners, -1, np.int64)
        for group in groups:
            positions[owner_of[group]] = group
        return positions


def place(words: list[str], codes: np.ndarray, usable: np.ndarray) -> Placed:
    """Find the entries that feed each slot, among those that are usable; `codes` are positions in `words`."""
    fed = [feeds(word) for word in words]
    wanted = np.array([bool(slots) for slots in fed], bool)
    if not wanted.any():
        return Placed({})
    positions = np.flatnonzero(wanted[codes] & usable)
    chosen = codes[positions]
    order = np.argsort(chosen.astype(np.uint16) if len(fed) < 2**16 else chosen, kind="stable")
    ends = np.cumsum(np.bincount(chosen, minlength=len(fed)))
    ranked: dict[Slot, list[tuple[tuple[int, int], np.ndarray]]] = {}
    for code, slots in enumerate(fed):
        for feed in slots:
            start = ends[code - 1] if code else 0
            group = positions[order[start : ends[code]]]
            ranked.setdefault(feed.slot, []).append((feed.rank, group))
    return Placed(
        {
            slot: [group for _, group in sorted(groups, key=lambda ranked: ranked[0], reverse=True) if len(group)]
            for slot, groups in ranked.items()
        }
    )
