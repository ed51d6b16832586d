"""Export requests, nested as OTLP nests them → one flat array of spans, each with its way back up."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.spans import deep, json_text, otlp_json

# Up to so many possible numbers, marking those that are there is cheaper than sorting.
MARKED = 2**25


@dataclass(frozen=True, slots=True)
class Attributes:
    """Attributes of many owners: owner `i` has the entries from `offsets[i]` to `offsets[i + 1]`.

    Of `text`, `flag`, `integer`, `real`, `deep` exactly one is not NULL; `deep` is the JSON text of
    an array, map, bytes or absent value.
    """

    offsets: np.ndarray
    key: pa.DictionaryArray
    text: pa.StringArray
    flag: pa.BooleanArray
    integer: pa.Int64Array
    real: pa.DoubleArray
    deep: pa.StringArray

    def __len__(self) -> int:
        """How many entries."""
        return len(self.key)

    def owners(self) -> np.ndarray:
        """The owner of each entry."""
        return repeated(self.offsets)

    def keys(self) -> pa.StringArray:
        """The key of each entry, written out."""
        return self.key.dictionary.take(self.key.indices)

    def words(self) -> list[str]:
        """The different keys, in the order of `codes`."""
        return self.key.dictionary.to_pylist()

    def codes(self) -> np.ndarray:
        """The position of each entry's key in `words`."""
        return self.key.indices.to_numpy()

    def with_key(self, word: str) -> np.ndarray:
        """Positions of the entries with this key."""
        code = self.key.dictionary.index(word).as_py()
        return np.flatnonzero(self.codes() == code)

    def tidied(self, private: str) -> "Attributes":
        """Without keys that begin with `private`, and with the last of several entries of one key and owner."""
        codes = self.codes()
        kept = np.array([not word.startswith(private) for word in self.words()], bool)[codes]
        named = self.owners() * np.int64(len(self.key.dictionary)) + codes
        if _repeats(named, len(self.offsets) * len(self.key.dictionary)):
            _, last = np.unique(named[::-1], return_index=True)
            only = np.zeros(len(named), bool)
            only[len(named) - 1 - last] = True
            kept &= only
        return self if kept.all() else self._only(kept)

    def _only(self, kept: np.ndarray) -> "Attributes":
        values = (self.key, self.text, self.flag, self.integer, self.real, self.deep)
        return Attributes(self.offsets_of(kept), *(column.filter(pa.array(kept)) for column in values))

    def offsets_of(self, chosen: np.ndarray) -> np.ndarray:
        """Offsets of the owners into the chosen entries alone."""
        before = np.zeros(len(chosen) + 1, np.int32)
        np.cumsum(chosen, out=before[1:])
        return before[self.offsets]

    def as_json(self) -> pa.StringArray:
        """The JSON text of each entry's value."""
        whole, flag = (pc.cast(values, pa.string()) for values in (self.integer, self.flag))
        return pc.coalesce(json_text.text(self.text), self.deep, whole, flag, json_text.real(self.real))


@dataclass(frozen=True, slots=True)
class Spans:
    """All spans of some requests: `nested` as OTLP has them, and the request, resource and scope of each."""

    nested: pa.StructArray
    request: np.ndarray
    resource: np.ndarray
    resource_attributes: Attributes
    scope: np.ndarray
    scope_attributes: Attributes
    scope_name: pa.StringArray
    scope_version: pa.StringArray

    def __len__(self) -> int:
        """How many spans."""
        return len(self.nested)


def flatten(requests: pa.ListArray) -> Spans:
    """Spans of `resourceSpans` lists, in order. Raises ValueError where an attribute cannot be told."""
    resources = requests.values
    scopes = resources.field("scopeSpans")
    spans = scopes.values.field("spans")
    scope_of = repeated(spans.offsets.to_numpy())
    resource_of = repeated(scopes.offsets.to_numpy())[scope_of]
    scope = scopes.values.field("scope")
    return Spans(
        nested=spans.values,
        request=repeated(requests.offsets.to_numpy())[resource_of],
        resource=resource_of,
        resource_attributes=attributes(resources.field("resource").field("attributes")),
        scope=scope_of,
        scope_attributes=attributes(scope.field("attributes")),
        scope_name=filled(scope.field("name")).take(pa.array(scope_of)),
        scope_version=filled(scope.field("version")).take(pa.array(scope_of)),
    )


def attributes(lists: pa.ListArray) -> Attributes:
    """The entries of KeyValue lists. Raises ValueError where one's kind is not known."""
    entries = lists.values
    value = entries.field("value")
    wire = pa.types.is_binary(value.type.field("bytesValue").type)
    text, flag, real = (value.field(name) for name in ("stringValue", "boolValue", "doubleValue"))
    integer = pc.cast(value.field("intValue"), pa.int64())
    if wire:
        found = deep.of_wire(value)
        plain = (text, flag, integer, real)
        if sum(len(one) - one.null_count for one in (*plain, found)) < len(value):
            absent = pc.and_(
                pc.and_(*(one.is_null() for one in plain[:2])), pc.and_(*(one.is_null() for one in plain[2:]))
            )
            found = pc.if_else(pc.and_(absent, found.is_null()), "null", found)
    else:
        otlp_json.check(entries)
        found = deep.of_json(value)
    key = entries.field("key").dictionary_encode()
    return Attributes(lists.offsets.to_numpy(), key, text, flag, integer, real, found)


def _repeats(numbers: np.ndarray, end: int) -> bool:
    """Whether one of the numbers, all from 0 to `end`, is there twice."""
    if end > MARKED:
        ordered = np.sort(numbers)
        return bool((ordered[1:] == ordered[:-1]).any())
    marks = np.zeros(end, bool)
    marks[numbers] = True
    return int(np.count_nonzero(marks)) != len(numbers)


def repeated(offsets: np.ndarray) -> np.ndarray:
    """The owner of each item of a list array: 0, 0, 1, … for offsets 0, 2, 3, …."""
    return np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets))


def times(given: pa.Array) -> np.ndarray:
    """Nanoseconds since 1970, 0 where absent. Raises ValueError where one is no number of 64 bits."""
    return pc.fill_null(pc.cast(given, pa.uint64()), 0).to_numpy(zero_copy_only=False).view(np.int64)


def filled(texts: pa.StringArray) -> pa.StringArray:
    """The texts, with NULL for empty ones: protobuf does not tell them from absent ones."""
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
