"""Dialects applied: from a span's attributes to its typed columns, a column at a time."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from collections.abc import Mapping, Sequence

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.spans import inside
from flywheel_assets.spans.dialect import ByKey, ByName, ByValue
from flywheel_assets.spans.keys import Placed, only, place, rules
from flywheel_assets.spans.requests import Attributes
from flywheel_assets.spans.tokens import parts
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.table import INT, REAL, TEXT

# Columns that name the attribute instead of holding its value.
NAMING = ("input_key", "output_key")
PROMOTED = tuple(
    column for column in RAW_SPANS.columns[RAW_SPANS.names.index("provider") : RAW_SPANS.names.index("attr_text")]
)
# Values that say nothing, per column.
SAYS_NOTHING: Mapping[str, str] = {"session_id": "unknown"}
WHOLE, NUMBER = r"^[+-]?[0-9]{1,18}$", r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"


def promote(attributes: Attributes, names: pa.StringArray) -> dict[str, pa.Array]:
    """The columns from `dialect` to `candidate_set`, for the spans that own the attributes."""
    owners = len(attributes.offsets) - 1
    attributes = inside.unquoted(attributes)
    placed = place(attributes.words(), attributes.codes(), _says_something(attributes))
    owner_of = attributes.owners()
    columns: dict[str, pa.Array] = _operations(attributes, placed, owner_of, names)
    for column in PROMOTED:
        chosen = placed.chosen(column.name, owner_of, owners)
        if chosen is None:
            columns[column.name] = pa.nulls(owners, column.type)
            continue
        taken = pa.array(chosen, mask=chosen < 0)
        if column.name in NAMING:
            columns[column.name] = attributes.key.dictionary.take(attributes.key.indices.take(taken))
        elif column.type == INT:
            columns[column.name] = _whole(attributes, taken)
        elif column.type == REAL:
            columns[column.name] = inside.scaled(attributes, taken, _real(attributes, taken))
        else:
            columns[column.name] = _text(attributes, taken, last=column.name == "finish_reason")
    inside.fill(inside.Chunk(attributes, owner_of, names, columns))
    columns |= parts(columns)
    for name, nothing in SAYS_NOTHING.items():
        columns[name] = pc.if_else(pc.equal(columns[name], nothing), pa.scalar(None, TEXT), columns[name])
    return columns


def _says_something(attributes: Attributes) -> np.ndarray:
    """Whether each entry has a value: not an empty text, not a value that was never set."""
    empty = pc.or_kleene(pc.equal(attributes.text, ""), pc.equal(attributes.deep, "null"))
    says = pc.invert(pc.fill_null(empty, False)).to_numpy(zero_copy_only=False)
    restricted = only().keys() & set(attributes.words())
    if restricted:
        says = says.copy()
    for key in restricted:
        entries = attributes.with_key(key)
        known = pc.is_in(attributes.text.take(pa.array(entries)), pa.array(only()[key], TEXT))
        says[entries] &= known.to_numpy(zero_copy_only=False)
    return says


def _text(attributes: Attributes, taken: pa.Array, *, last: bool) -> pa.StringArray:
    """The values as text; of an array its last item, if `last`."""
    found = attributes.text.take(taken)
    if found.null_count == taken.null_count:
        return found
    deep = attributes.deep.take(taken)
    if last and deep.null_count < len(deep):
        encoded = deep.dictionary_encode()
        deep = pa.array([_last(one) for one in encoded.dictionary.to_pylist()], TEXT).take(encoded.indices)
    others = (pc.cast(values.take(taken), TEXT) for values in (attributes.integer, attributes.flag, attributes.real))
    return pc.coalesce(found, deep, *others)


def _last(array: str) -> str | None:
    found = orjson.loads(array)
    if not isinstance(found, list):
        return array
    return str(found[-1]) if found and found[-1] is not None else None


def _whole(attributes: Attributes, taken: pa.Array) -> pa.Int64Array:
    """Whole numbers, also from text and from numbers like 12.0; what is none is NULL."""
    found = attributes.integer.take(taken)
    if found.null_count == taken.null_count:
        return found
    real = attributes.real.take(taken)
    exact = pc.and_(pc.equal(pc.floor(real), real), pc.less(pc.abs(real), 2.0**53))
    whole = pc.cast(pc.if_else(exact, real, pa.scalar(None, REAL)), INT)
    return pc.coalesce(found, whole, pc.cast(_matching(attributes, taken, WHOLE), INT))


def _real(attributes: Attributes, taken: pa.Array) -> pa.DoubleArray:
    """Numbers, also from text; what is none, or not finite, is NULL."""
    found = attributes.real.take(taken)
    if found.null_count > taken.null_count:
        whole = pc.cast(attributes.integer.take(taken), REAL, safe=False)
        found = pc.coalesce(found, whole, pc.cast(_matching(attributes, taken, NUMBER), REAL))
    return pc.if_else(pc.is_finite(found), found, pa.scalar(None, REAL))


def _matching(attributes: Attributes, taken: pa.Array, pattern: str) -> pa.StringArray:
    trimmed = pc.ascii_trim_whitespace(attributes.text.take(taken))
    return pc.if_else(pc.match_substring_regex(trimmed, pattern), trimmed, pa.scalar(None, TEXT))


def _operations(
    attributes: Attributes, placed: Placed, owner_of: np.ndarray, names: pa.StringArray
) -> dict[str, pa.Array]:
    """`operation` and the `dialect` whose rule told it; the most believed rule that knows the value wins."""
    told = np.full(len(names), -1, np.int32)
    outcomes: list[tuple[str, str]] = []
    encoded = names.dictionary_encode()
    for number, (dialect, rule) in reversed(list(enumerate(rules()))):
        everywhere = isinstance(rule, ByName) and rule.requires is None
        groups = placed.entries.get(number)
        if not groups and not everywhere:
            continue
        entries = np.concatenate(groups or [np.empty(0, np.int64)])
        rows = np.arange(len(names)) if everywhere else owner_of[entries]
        match rule:
            case ByName():
                operations, codes = _named(rule, encoded), encoded.indices.to_numpy()[rows]
            case ByKey():
                operations, codes = [rule.operation], np.zeros(len(rows), np.int32)
            case ByValue():
                operations, codes = _valued(rule, attributes.text.take(pa.array(entries)))
        _tell(told, rows, operations, codes, dialect, outcomes)
    if not outcomes:
        return {name: pa.nulls(len(names), TEXT) for name in ("dialect", "operation")}
    codes = pa.array(told, mask=told < 0)
    return {
        "dialect": pa.array([dialect for dialect, _ in outcomes], TEXT).take(codes),
        "operation": pa.array([operation for _, operation in outcomes], TEXT).take(codes),
    }


def _tell(  # noqa: PLR0913, PLR0917 - a rule's rows, and what is known before it
    told: np.ndarray,
    rows: np.ndarray,
    operations: Sequence[str | None],
    codes: np.ndarray,
    dialect: str,
    outcomes: list[tuple[str, str]],
) -> None:
    """Write each row's operation; "" is 'other', unless another rule knows, None is nothing."""
    for operation in {one for one in operations if one is not None}:
        outcomes.append((dialect, operation or "other"))
        these = rows[np.array([one == operation for one in operations], bool)[codes]]
        if operation == "":
            these = these[told[these] < 0]
        told[these] = len(outcomes) - 1


def _valued(rule: ByValue, values: pa.StringArray) -> tuple[list[str | None], np.ndarray]:
    """What the rule makes of each different value, "" of what it does not know; and which of them each entry has."""
    encoded = values.dictionary_encode()
    known = [rule.operations.get(one.casefold(), "") for one in encoded.dictionary.to_pylist()]
    return [*known, ""], pc.fill_null(encoded.indices, len(known)).to_numpy(zero_copy_only=False)


def _named(rule: ByName, names: pa.DictionaryArray) -> list[str | None]:
    """What the rule makes of each different name, by its first word."""
    return [rule.operations.get(name.split(" ", 1)[0]) for name in names.dictionary.to_pylist()]
