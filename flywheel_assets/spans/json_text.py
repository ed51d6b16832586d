"""JSON text of Arrow values, a column at a time: only what needs escaping passes through Python."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

ESCAPED = r'["\\\x00-\x1f]'
NOT_NUMBERS = {"nan": '"NaN"', "inf": '"Infinity"', "-inf": '"-Infinity"'}


def text(values: pa.StringArray) -> pa.StringArray:
    """Each text as a JSON string; NULL stays NULL."""
    quoted = pc.binary_join_element_wise('"', values, '"', "")
    special = pc.match_substring_regex(values, ESCAPED)
    if not pc.any(special).as_py():
        return quoted
    escaped = [orjson.dumps(value).decode() for value in values.filter(special).to_pylist()]
    return pc.replace_with_mask(quoted, special.fill_null(False), pa.array(escaped, pa.string()))


def texts_of_few(values: pa.StringArray) -> pa.StringArray:
    """`text` for a column with few different values."""
    encoded = values.dictionary_encode()
    return text(encoded.dictionary).take(encoded.indices)


def real(values: pa.DoubleArray) -> pa.StringArray:
    """Each number as JSON, shortest form that reads back the same; NaN and infinities as OTLP/JSON names them."""
    encoded = values.dictionary_encode()
    found = [number(value) for value in encoded.dictionary.to_pylist()]
    return pa.array(found, pa.string()).take(encoded.indices)


def number(value: float) -> str:
    """One floating-point number as JSON."""
    return NOT_NUMBERS.get(str(value)) or orjson.dumps(value).decode()


def arrays(offsets: np.ndarray, items: pa.StringArray) -> pa.StringArray:
    """One JSON array per owner, whose items are `items[offsets[i] : offsets[i + 1]]`."""
    return _joined(offsets, items, "[", "]")


def objects(offsets: np.ndarray, keys: pa.StringArray, items: pa.StringArray) -> pa.StringArray:
    """One JSON object per owner, in the order of its items."""
    return _joined(offsets, pc.binary_join_element_wise(texts_of_few(keys), items, ":"), "{", "}")


def _joined(offsets: np.ndarray, items: pa.StringArray, opened: str, closed: str) -> pa.StringArray:
    owned = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items)
    return pc.binary_join_element_wise(opened, pc.binary_join(owned, ","), closed, "")
