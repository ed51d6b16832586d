"""MinHash signatures over word 5-grams, and the exact comparison that they stand in for."""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from rensa import RMinHash

SHINGLE = 5
SLOTS = 64
BANDS = 16
_SEED = 20250607
_NEGATIONS = frozenset({"no", "not", "never", "none", "nor", "without", "except", "cannot", "n't", "t"})

_BETWEEN = " \x1f "
_WIDE_MARKS = "“”‘’…–—"
_BLANKED = np.arange(256, dtype=np.uint8)
_BLANKED[np.frombuffer(b"\t\n\v\f\r.,;:!?'\"`()", np.uint8)] = ord(" ")
_HYPHEN = re.compile(r"(?<=[^\W\d_])- ?(?=[^\W\d_])")
_PRIME = np.uint64(0x9E3779B97F4A7C15)

Slots = npt.NDArray[np.uint32]


def comparable(asked: pa.ChunkedArray, answered: pa.ChunkedArray) -> pa.Array:
    """Both texts as one, the words by which they are compared separated by single spaces.

    Case, white space, quotes and sentence marks are gone; operators, signs and digits stay, they are
    content. A text that was not captured counts as empty.
    """
    return pc.binary_join(pc.ascii_split_whitespace(pc.ascii_trim_whitespace(_spaced(asked, answered))), " ")


def weights(asked: pa.ChunkedArray, answered: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Bytes of each row's `comparable` text but for spaces, in a third of its time: equal texts have equally many."""
    text = _spaced(asked, answered)
    _, offsets, content = text.buffers()
    if content is None:
        return np.zeros(len(text), np.int64)
    inked = np.concatenate(([0], np.cumsum(np.frombuffer(content, np.uint8) != ord(" "))))
    ends = np.frombuffer(offsets, np.int32)[text.offset : text.offset + len(text) + 1]
    return np.diff(inked[ends])


def _spaced(asked: pa.ChunkedArray, answered: pa.ChunkedArray) -> pa.StringArray:
    """Both texts as one, in lower case, with spaces for all that is not compared."""
    filled = (pc.fill_null(side, "").combine_chunks() for side in (asked, answered))
    text = pc.utf8_lower(pc.binary_join_element_wise(*filled, _BETWEEN))
    wide = pc.invert(pc.string_is_ascii(text))
    text = pc.replace_with_mask(text, wide, _narrowed(text.filter(wide)))
    _, offsets, content = text.buffers()
    # One look-up per byte takes a tenth of a regular expression's time. UTF-8 keeps ASCII bytes to ASCII.
    blanked = _BLANKED[np.frombuffer(content, np.uint8)] if content is not None else np.empty(0, np.uint8)
    return pa.StringArray.from_buffers(len(text), offsets, pa.py_buffer(blanked))


def _narrowed(text: pa.Array) -> pa.Array:
    """Texts beyond ASCII, composed, without marks beyond ASCII."""
    composed = pc.utf8_lower(pc.utf8_normalize(text, "NFC"))
    for mark in _WIDE_MARKS:
        composed = pc.replace_substring(composed, mark, " ")
    return composed


def words_of(text: str) -> list[str]:
    """A `comparable` text's words, those joined by a hyphen apart."""
    return _HYPHEN.sub(" ", text).split()


def minhash(texts: pa.Array, salts: Sequence[str]) -> Slots:
    """Signatures (Broder 1997) of `comparable` texts over word 5-grams, one row of 64 slots per text.

    The share of equal slots estimates the Jaccard similarity of two texts' 5-grams, with a standard
    error below 0.04 where that is 0.9. Texts with different salts share no slot.
    """
    if not len(texts):
        return np.empty((0, SLOTS), np.uint32)
    hashes, offsets = _shingle_hashes(texts)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, SLOTS, _SEED)
    slots = np.asarray(matrix.to_rows(), dtype=np.uint32)
    masks = {salt: _digest(salt, 4) for salt in set(salts)}
    return slots ^ np.asarray([masks[salt] for salt in salts], dtype=np.uint32)[:, None]


def band_keys(slots: Slots, scopes: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """16 keys per row; near rows of one scope share one almost surely (above 0.999 at similarity 0.8)."""
    width = SLOTS // BANDS
    odd = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], dtype=np.uint64)
    mixed = (slots.astype(np.uint64).reshape(len(slots), BANDS, width) + np.uint64(1)) * odd
    mixed ^= mixed >> np.uint64(29)
    keys = (mixed * odd[::-1]).sum(axis=2, dtype=np.uint64)
    salt = scopes.astype(np.uint64)[:, None] * np.uint64(BANDS) + np.arange(BANDS, dtype=np.uint64)
    keys ^= (salt + np.uint64(1)) * odd[0]
    return keys ^ (keys >> np.uint64(32))


def jaccard(left: Sequence[str], right: Sequence[str]) -> float:
    """Jaccard similarity of two texts' word 5-grams."""
    a, b = _shingles(left), _shingles(right)
    return len(a & b) / len(a | b)


def differs_in_content(left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether a word was replaced by another, or a number or a negation came in or went out.

    One such word in a long text hardly moves the similarity and can turn the question round.
    """
    a, b = Counter(left), Counter(right)
    gone, come = a - b, b - a
    if gone and come:
        return True
    return any(word in _NEGATIONS or any(char.isdigit() for char in word) for word in (*gone, *come))


def _shingles(words: Sequence[str]) -> set[tuple[str, ...]]:
    """All runs of five words; of a shorter text, the text itself."""
    if len(words) <= SHINGLE:
        return {tuple(words)}
    return set(zip(*(words[start:] for start in range(SHINGLE)), strict=False))


def _shingle_hashes(texts: pa.Array) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Hashes of all texts' 5-grams in one array, and where each text's begin."""
    split = pc.split_pattern(texts, " ")
    starts = split.offsets.to_numpy().astype(np.int64)
    encoded = split.flatten().dictionary_encode()
    digests = np.array([_digest(word, 8) for word in encoded.dictionary.to_pylist()], np.uint64)
    words = np.concatenate((digests[encoded.indices.to_numpy()], np.zeros(SHINGLE, np.uint64)))
    size = int(starts[-1])
    rolled = np.zeros(size, np.uint64)
    for place in range(SHINGLE):
        rolled = rolled * _PRIME + words[place : place + size]
    lengths = np.diff(starts)
    counts = np.maximum(lengths - SHINGLE + 1, 1)
    offsets = np.concatenate(([0], np.cumsum(counts)))
    hashes = rolled[np.arange(offsets[-1]) + np.repeat(starts[:-1] - offsets[:-1], counts)]
    # A text of fewer than five words has one shingle, itself: not what rolls on into the next text.
    for row in np.flatnonzero(lengths < SHINGLE).tolist():
        hashes[offsets[row]] = _digest(texts[row].as_py(), 8)
    return hashes ^ (hashes >> np.uint64(31)), offsets.astype(np.uint64)


# The same few words are in most texts.
@lru_cache(maxsize=2**16)
def _digest(text: str, size: int) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=size).digest(), "little")
