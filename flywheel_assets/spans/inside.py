"""What dialects know beyond whole attributes: JSON texts, members of JSON objects, the span's own name.

All of it is rare, and looked for only where a key of it is among the words of a chunk.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.spans.dialect import Named
from flywheel_assets.spans.keys import Member, members, named, quoted, scales
from flywheel_assets.spans.requests import Attributes
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.table import INT, REAL, TEXT


def unquoted(attributes: Attributes) -> Attributes:
    """Texts out of their quotes, for keys whose values are JSON texts."""
    wanted = np.array([word in quoted() for word in attributes.words()], bool)
    if not wanted.any():
        return attributes
    begun = pc.starts_with(attributes.text, '"').fill_null(False).to_numpy(zero_copy_only=False)
    chosen = wanted[attributes.codes()] & begun
    if not chosen.any():
        return attributes
    encoded = attributes.text.filter(pa.array(chosen)).dictionary_encode()
    plain = pa.array([_plain(text) for text in encoded.dictionary.to_pylist()], TEXT).take(encoded.indices)
    return replace(attributes, text=pc.replace_with_mask(attributes.text, pa.array(chosen), plain))


def _plain(text: str) -> str:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return found if isinstance(found, str) else text


def scaled(attributes: Attributes, taken: pa.Array, found: pa.DoubleArray) -> pa.DoubleArray:
    """The numbers in the column's unit, where their key has another."""
    words = attributes.words()
    if not scales().keys() & set(words):
        return found
    factors = pa.array([scales().get(word, 1.0) for word in words], REAL)
    return pc.multiply(found, factors.take(attributes.key.indices.take(taken)))


@dataclass(frozen=True, slots=True)
class Chunk:
    """Spans under promotion: their attributes, names, and the columns so far."""

    attributes: Attributes
    owner_of: np.ndarray
    names: pa.StringArray
    columns: dict[str, pa.Array]


def fill(chunk: Chunk) -> None:
    """Fill columns that no whole attribute filled: from members of JSON objects, then from names."""
    for word in chunk.attributes.words():
        if word in members():
            _fill_members(chunk, chunk.attributes.with_key(word), members()[word])
    for dialect, one in named():
        _name(chunk, dialect, one)


def _fill_members(chunk: Chunk, entries: np.ndarray, wanted: Sequence[Member]) -> None:
    attributes, columns, rows = chunk.attributes, chunk.columns, chunk.owner_of[entries]
    taken = pa.array(entries)
    encoded = pc.coalesce(attributes.text.take(taken), attributes.deep.take(taken)).dictionary_encode()
    objects = [json_object(text) for text in encoded.dictionary.to_pylist()]
    owners = len(columns["operation"])
    codes = np.full(owners, -1, np.int64)
    codes[rows] = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    of_row = pa.array(codes, mask=codes < 0)
    for member in wanted:
        kind = RAW_SPANS.schema.field(member.column).type
        values = pa.array([of_kind(one.get(member.name), kind) for one in objects], kind)
        if values.null_count < len(values):
            columns[member.column] = pc.coalesce(columns[member.column], values.take(of_row))


def json_object(text: str | None) -> Mapping[str, object]:
    """The JSON object, or the only one of an array."""
    try:
        found = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    return found if isinstance(found, dict) else {}


def of_kind(value: object, kind: pa.DataType) -> object:
    """The value as the column has it; None where it is none of the kind."""
    if kind == TEXT:
        return str(value) if isinstance(value, str | int | float) and value != "" else None
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except ValueError:
        return None
    if number is None or number - number != 0:
        return None
    if kind == INT:
        return int(number) if number.is_integer() and abs(number) < 2**53 else None
    return number


def _name(chunk: Chunk, dialect: str, one: Named) -> None:
    attributes, columns, names = chunk.attributes, chunk.columns, chunk.names
    if not _any(columns["dialect"], dialect) or (one.key is not None and one.key not in attributes.words()):
        return
    told = pc.and_(pc.equal(columns["dialect"], dialect), pc.equal(columns["operation"], one.operation))
    missing = pc.and_(pc.fill_null(told, False), columns[one.column].is_null())
    if not pc.any(missing).as_py():
        return
    if one.key is None:
        given = names
        if one.leaving:
            given = pc.replace_substring_regex(names, f"^{one.leaving}\\s+", "")
    else:
        positions = np.full(len(names), -1, np.int64)
        entries = attributes.with_key(one.key)
        positions[chunk.owner_of[entries]] = entries
        given = attributes.text.take(pa.array(positions, mask=positions < 0))
    given = pc.if_else(pc.equal(given, ""), pa.scalar(None, TEXT), given)
    columns[one.column] = pc.if_else(missing, given, columns[one.column])


def _any(values: pa.StringArray, word: str) -> bool:
    return bool(pc.any(pc.equal(values, word)).as_py())
