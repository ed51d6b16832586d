"""Trace and span ids: hex text, and whether they can be used."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

import binascii

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

HEX = b"0123456789abcdef"


def hex_text(ids: pa.Array) -> pa.StringArray:
    """Ids as lower-case hex, from bytes (protobuf) or from hex (JSON); absent ones are empty."""
    if not pa.types.is_binary(ids.type):
        return pc.ascii_lower(pc.fill_null(ids, ""))
    _, offsets, data = ids.buffers()
    starts = np.frombuffer(offsets, np.int32, len(ids) + 1, ids.offset * 4)
    digits = binascii.hexlify(memoryview(data)[starts[0] : starts[-1]] if data else b"")
    doubled = ((starts - starts[0]) * 2).astype(np.int32)
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(doubled), pa.py_buffer(digits))


def usable(ids: pa.StringArray, length: int) -> np.ndarray:
    """Whether each has `length` hex digits that are not all zero."""
    if _plainly_usable(ids, length):
        return np.ones(len(ids), bool)
    right = pc.and_(pc.equal(pc.binary_length(ids), length), pc.not_equal(ids, "0" * length))
    hexadecimal = pc.invert(pc.match_substring_regex(ids, "[^0-9a-f]"))
    return pc.and_(right, hexadecimal).to_numpy(zero_copy_only=False)


def _plainly_usable(ids: pa.StringArray, length: int) -> bool:
    """The usual case, told without looking at one id at a time."""
    lengths = pc.min_max(pc.binary_length(ids))
    data = ids.buffers()[2]
    if data is None or ids.offset or lengths["min"].as_py() != length or lengths["max"].as_py() != length:
        return False
    digits = data.to_pybytes()[: len(ids) * length]
    # Zeros that reach over two ids look like a zero id too; the long way tells them apart.
    return not digits.translate(None, HEX) and b"0" * length not in digits


def parents(ids: pa.StringArray) -> pa.StringArray:
    """Parent ids as sent, NULL for a root: an empty or a zero id."""
    rootless = pc.or_(pc.equal(ids, ""), pc.equal(ids, "0" * 16))
    return pc.if_else(rootless, pa.scalar(None, pa.string()), ids)


def numbers(span_ids: pa.Array) -> np.ndarray:
    """Span ids as 64-bit numbers, from bytes or hex; those that have not 64 bits are left out."""
    width = 8 if pa.types.is_binary(span_ids.type) else 16
    lengths = pc.binary_length(span_ids)
    kept = span_ids.filter(pc.equal(lengths, width)) if pc.any(pc.not_equal(lengths, width)).as_py() else span_ids
    _, offsets, data = kept.buffers()
    if len(kept) == 0 or data is None:
        return np.empty(0, np.uint64)
    start = np.frombuffer(offsets, np.int32, 1, kept.offset * 4)[0]
    found = memoryview(data)[start : start + len(kept) * width]
    return np.frombuffer(found if width == 8 else binascii.unhexlify(found), ">u8").astype(np.uint64)
