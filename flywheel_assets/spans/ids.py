"""Trace and span ids: hex text, and whether they can be used."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

import binascii

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


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
    right = pc.and_(pc.equal(pc.binary_length(ids), length), pc.not_equal(ids, "0" * length))
    hexadecimal = pc.invert(pc.match_substring_regex(ids, "[^0-9a-f]"))
    return pc.and_(right, hexadecimal).to_numpy(zero_copy_only=False)


def parents(ids: pa.StringArray) -> pa.StringArray:
    """Parent ids as sent, NULL for a root: an empty or a zero id."""
    rootless = pc.or_(pc.equal(ids, ""), pc.equal(ids, "0" * 16))
    return pc.if_else(rootless, pa.scalar(None, pa.string()), ids)


def numbers(span_ids: pa.StringArray) -> np.ndarray:
    """Usable span ids as 64-bit numbers."""
    _, offsets, data = span_ids.buffers()
    if len(span_ids) == 0 or data is None:
        return np.empty(0, np.uint64)
    starts = np.frombuffer(offsets, np.int32, len(span_ids) + 1, span_ids.offset * 4)
    return np.frombuffer(binascii.unhexlify(memoryview(data)[starts[0] : starts[-1]]), ">u8").astype(np.uint64)
