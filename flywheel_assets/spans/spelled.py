"""`Spelling`: one attribute key in a chunk of rows, whose spans it is on, and what it says there."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.spans.dialect import ByKey, ByName, ByValue
from flywheel_assets.spans.inside import json_object, of_kind
from flywheel_assets.spans.keys import feeds, members, named, only, rules, scales
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.table import TEXT

MAPS = ("attr_text", "attr_int", "attr_double", "attr_bool", "attr_json")
# Members of JSON objects come after every whole attribute.
LAST = 10**6

Read = Callable[[np.ndarray], pa.StringArray]


@dataclass(frozen=True, slots=True)
class Spelling:
    """An attribute key with a column that it feeds (None: none); `owners` are rows, each once.

    `rank`: the least is believed. `silent` entries say nothing. `read` gives the values of entries as text.
    """

    word: str
    column: str | None
    rank: tuple[int, ...]
    owners: np.ndarray
    silent: np.ndarray
    read: Read

    def differs(self, entries: np.ndarray, other: "Spelling") -> np.ndarray:
        """Whether these entries say something else than `other` does on the same rows, which it is on."""
        place = np.searchsorted(other.owners, self.owners[entries])
        mine, others = self.read(entries), other.read(place)
        unequal = pc.fill_null(pc.not_equal(mine, others), True).to_numpy(zero_copy_only=False).copy()
        for number in np.flatnonzero(unequal):
            unequal[number] = plain(self.word, mine[int(number)].as_py()) != plain(
                other.word, others[int(number)].as_py()
            )
        return unequal

    def differs_from(self, column: pa.StringArray) -> np.ndarray:
        """Whether each entry says something else than its row's column."""
        told = self.read(np.arange(len(self.owners)))
        unequal = pc.not_equal(told, column.take(pa.array(self.owners)))
        return pc.fill_null(unequal, False).to_numpy(zero_copy_only=False)


def plain(word: str, text: str | None) -> object:
    """The value behind the spelling: numbers in the column's unit, the last of an array, texts without quotes."""
    if text is None:
        return None
    try:
        return float(text) * scales().get(word, 1.0)
    except ValueError:
        pass
    try:
        found = orjson.loads(text) if text[:1] in '["' else text
    except orjson.JSONDecodeError:
        return text
    return found[-1] if isinstance(found, list) and found else found


def spellings(rows: pa.RecordBatch) -> Iterator[Spelling]:
    """Every attribute key of the rows, once for each column that it feeds and each type that its values have."""
    for name in MAPS:
        for found in _entries(rows[name], deep=name == "attr_json"):
            fed = list(_fed(found, rows))
            yield from fed
            if any(len(one.owners) == len(found.owners) for one in fed):
                continue
            unfed = np.ones(len(found.owners), bool)
            for one in fed:
                unfed[np.searchsorted(found.owners, one.owners)] = False
            if unfed.any():
                yield Spelling(found.word, None, (), found.owners[unfed], np.zeros(int(unfed.sum()), bool), found.read)


@dataclass(frozen=True, slots=True)
class _Entries:
    """The entries of one key in a map column; `owners` ascend."""

    word: str
    owners: np.ndarray
    places: np.ndarray
    items: pa.Array
    empty: np.ndarray

    def read(self, chosen: np.ndarray) -> pa.StringArray:
        """Values as text."""
        return pc.cast(self.items.take(pa.array(self.places[chosen])), TEXT)

    def all(self) -> pa.StringArray:
        """All values as text."""
        return self.read(np.arange(len(self.owners)))


def _entries(column: pa.MapArray, *, deep: bool) -> Iterator[_Entries]:
    offsets = column.offsets.to_numpy()
    first, last = int(offsets[0]), int(offsets[-1])
    if first == last:
        return
    owner_of = np.repeat(np.arange(len(column), dtype=np.int64), np.diff(offsets))
    encoded = column.keys.slice(first, last - first)
    items = column.items.slice(first, last - first)
    empty = _empty(items, deep=deep)
    codes, words = encoded.indices.to_numpy(), encoded.dictionary.to_pylist()
    order = np.argsort(codes.astype(np.uint16) if len(words) < 2**16 else codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(words)))
    for code, word in enumerate(words):
        places = order[ends[code - 1] if code else 0 : ends[code]]
        if not len(places):
            continue
        yield _Entries(word, owner_of[places], places, items, empty[places])


def _empty(items: pa.Array, *, deep: bool) -> np.ndarray:
    """Whether each value is an empty text, or one that was never set."""
    if not pa.types.is_string(items.type):
        return np.zeros(len(items), bool)
    # Lengths first: texts are long, and nearly none is looked into.
    lengths = pc.binary_length(items).to_numpy(zero_copy_only=False)
    if not deep:
        return lengths == 0
    return (lengths == 4) & pc.equal(items, "null").to_numpy(zero_copy_only=False)


def _fed(found: _Entries, rows: pa.RecordBatch) -> Iterator[Spelling]:
    """The columns that the key feeds, on the spans where it does."""
    word, owners = found.word, found.owners
    silent = found.empty
    if word in only():
        silent = ~pc.is_in(found.all(), pa.array(only()[word], TEXT)).to_numpy(zero_copy_only=False)
    fed = feeds(word)
    mapped = any(isinstance(feed.slot, str) for feed in fed)
    for feed in fed:
        if isinstance(feed.slot, str):
            yield Spelling(word, feed.slot, feed.rank, owners, silent, found.read)
        # That a key which means something else is there at all is no other word for the operation.
        elif not isinstance(rules()[feed.slot][1], ByName) and not (
            mapped and isinstance(rules()[feed.slot][1], ByKey)
        ):
            told = _operations(feed.slot, found.all())
            unknown = told.is_null().to_numpy(zero_copy_only=False)
            yield Spelling(word, "operation", (feed.slot, 0), owners, silent | unknown, _taken(told))
    if word in members():
        yield from _of_members(found)
    for dialect, one in named():
        if one.key == word:
            here = pc.and_(pc.equal(rows["dialect"], dialect), pc.equal(rows["operation"], one.operation))
            chosen = np.flatnonzero(here.fill_null(False).to_numpy(zero_copy_only=False)[owners])
            if len(chosen):
                values = _taken(found.read(chosen))
                yield Spelling(word, one.column, (2 * LAST, 0), owners[chosen], silent[chosen], values)


def _of_members(found: _Entries) -> Iterator[Spelling]:
    encoded = found.all().dictionary_encode()
    objects = [json_object(text) for text in encoded.dictionary.to_pylist()]
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    for number, member in enumerate(members()[found.word]):
        kind = RAW_SPANS.schema.field(member.column).type
        values = [of_kind(one.get(member.name), kind) for one in objects]
        present = np.flatnonzero(np.array([value is not None for value in values], bool)[codes])
        if len(present):
            texts = pa.array([None if value is None else str(value) for value in values], TEXT)
            read = _taken(texts.take(pa.array(codes[present])))
            nothing = np.zeros(len(present), bool)
            yield Spelling(found.word, member.column, (LAST + number, 0), found.owners[present], nothing, read)


def _taken(values: pa.StringArray) -> Read:
    return lambda chosen: values.take(pa.array(chosen))


def _operations(number: int, values: pa.StringArray) -> pa.StringArray:
    """What the rule makes of each value, NULL for what it does not know."""
    rule = rules()[number][1]
    if isinstance(rule, ByKey):
        return pa.repeat(pa.scalar(rule.operation, TEXT), len(values))
    encoded = values.dictionary_encode()
    known = rule.operations if isinstance(rule, ByValue) else {}
    words = encoded.dictionary.to_pylist()
    return pa.array([known.get(_unquoted(word).casefold()) for word in words], TEXT).take(encoded.indices)


def _unquoted(text: str) -> str:
    return text[1:-1] if text[:1] == text[-1:] == '"' else text
