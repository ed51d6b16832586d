"""MinHash signatures over word 5-grams, and the exact comparison that they stand in for."""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

import hashlib
import re
from array import array
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from rensa import RMinHash

from flywheel_assets.observations.texts import whole

SHINGLE = 5
SLOTS = 64
BANDS = 16
_SEED = 20250607
# Texts that are worked on together: those of more do not stay in a processor's cache.
_AT_ONCE = 2000
_NEGATIONS = frozenset({"no", "not", "never", "none", "nor", "without", "except", "cannot", "n't", "t"})

_BETWEEN = " \x1f "
_WIDE_MARKS = "[“”‘’…–—]"
# A text of no other characters is composed already (a test compares), which is told in a tenth of the time that
# composing takes. RE2 syntax.
COMPOSED = (
    r"\x{0}-\x{2ff}\x{388}-\x{482}\x{48a}-\x{52f}\x{2002}-\x{20cf}\x{2100}-\x{2125}\x{2190}-\x{2328}"
    r"\x{2400}-\x{2adb}\x{3001}-\x{3029}\x{3030}-\x{3098}\x{309b}-\x{9fff}\x{1f300}-\x{1faff}"
)
_SPACE = ord(" ")
# UTF-8 keeps ASCII bytes to ASCII: one look-up per byte lowers letters and blanks what is not compared.
_BLANKS = " \t\n\v\f\r.,;:!?'\"`()"
_PLAIN = bytes(range(256)).lower().translate(bytes.maketrans(_BLANKS.encode(), b" " * len(_BLANKS)))
_HYPHEN = re.compile(r"(?<=[^\W\d_])- ?(?=[^\W\d_])")
_PRIME = np.uint64(0x9E3779B97F4A7C15)

Slots = npt.NDArray[np.uint32]


def comparable(asked: pa.ChunkedArray, answered: pa.ChunkedArray) -> pa.ChunkedArray:
    """Both texts as one, the words by which they are compared separated by single spaces.

    Case, white space, quotes and sentence marks are gone; operators, signs and digits stay, they are
    content. A text that was not captured counts as empty.
    """
    sides = [whole(side) for side in (asked, answered)]
    some = [_plain(*(side.slice(start, _AT_ONCE) for side in sides)) for start in range(0, len(asked), _AT_ONCE)]
    return pa.chunked_array(some, pa.string())


def _plain(asked: pa.Array, answered: pa.Array) -> pa.Array:
    text = pc.binary_join_element_wise(asked, answered, _BETWEEN, null_handling="replace", null_replacement="")
    wide = pc.invert(pc.string_is_ascii(text))
    if pc.any(wide).as_py():
        text = pc.replace_with_mask(text, wide, _narrowed(text.filter(wide)))
    return _squeezed(text)


def _squeezed(text: pa.StringArray) -> pa.StringArray:
    """The texts plain, without spaces at their ends and with single ones between words."""
    _, offsets, content = pc.ascii_trim(text, _BLANKS).buffers()
    ends = np.frombuffer(offsets, np.int32)[: len(text) + 1]
    plain = np.frombuffer(content.to_pybytes().translate(_PLAIN), np.uint8)[: ends[-1]]
    space = plain == _SPACE
    repeated = space & np.append(space[1:], False)
    plain, ends = plain[~repeated], ends - np.searchsorted(np.flatnonzero(repeated), ends)
    return pa.StringArray.from_buffers(len(text), pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(plain))


def _narrowed(text: pa.Array) -> pa.Array:
    """Texts beyond ASCII, in lower case, composed, without marks beyond ASCII."""
    lower = pc.utf8_lower(text)
    odd = pc.match_substring_regex(lower, f"[^{COMPOSED}]")
    composed = pc.replace_with_mask(lower, odd, pc.utf8_normalize(lower.filter(odd), "NFC"))
    return pc.replace_substring_regex(pc.utf8_lower(composed), _WIDE_MARKS, " ")


def words_of(text: str) -> list[str]:
    """A `comparable` text's words, those joined by a hyphen apart."""
    return _HYPHEN.sub(" ", text).split()


def salts(rows: pa.Table) -> pa.Array:
    """What tells equal texts of different skills or arms apart."""
    named = (pc.fill_null(rows[name], "").combine_chunks() for name in ("skill", "arm"))
    return pc.binary_join_element_wise(*named, "\x1f")


def salted(slots: Slots, salts: pa.Array) -> Slots:
    """Signatures that share no slot with those of other salts; done twice, it is undone."""
    encoded = salts.dictionary_encode()
    masks = np.array([_digest(salt, 4) for salt in encoded.dictionary.to_pylist()], np.uint32)
    return slots ^ masks[encoded.indices.to_numpy()][:, None]


def minhash(texts: pa.ChunkedArray) -> Slots:
    """Signatures (Broder 1997) of `comparable` texts over word 5-grams, one row of 64 slots per text.

    The share of equal slots estimates the Jaccard similarity of two texts' 5-grams, with a standard
    error below 0.04 where that is 0.9.
    """
    return np.concatenate([np.empty((0, SLOTS), np.uint32), *(_minhash(some) for some in texts.chunks if len(some))])


def _minhash(texts: pa.Array) -> Slots:
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(*_shingle_hashes(texts), SLOTS, _SEED)
    # It gives its numbers to Python only; a flat array of them is made in two thirds of a nested one's time.
    flat = array("I")
    for row in matrix.to_rows():
        flat.fromlist(row)
    return np.frombuffer(flat, np.uint32).reshape(-1, SLOTS)


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


def among(keys: npt.NDArray[np.uint64], others: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Which keys are among the others: Arrow looks them up in a tenth of the time that sorting them takes."""
    found = pc.is_in(pa.array(keys.ravel()), pa.array(others.ravel()))
    return found.to_numpy(zero_copy_only=False).reshape(keys.shape)


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
    starts, encoded = _numbered_words(texts)
    digests = np.array([_digest(word, 8) for word in pc.ascii_rtrim(encoded.dictionary, " ").to_pylist()], np.uint64)
    words = np.concatenate((digests.take(encoded.indices.to_numpy()), np.zeros(SHINGLE, np.uint64)))
    size = int(starts[-1])
    rolled = np.zeros(size, np.uint64)
    for place in range(SHINGLE):
        rolled *= _PRIME
        rolled += words[place : place + size]
    # What begins in a text's last four words rolls on into the next text.
    whole = np.ones(size, bool)
    for place in range(1, SHINGLE):
        whole[np.maximum(starts[1:] - place, starts[:-1])] = False
    whole[starts[:-1]] = True
    lengths = np.diff(starts)
    offsets = np.concatenate(([0], np.cumsum(np.maximum(lengths - SHINGLE + 1, 1))))
    hashes = rolled[whole]
    # A text of fewer than five words has one shingle, itself: not what rolls on into the next text.
    for row in np.flatnonzero(lengths < SHINGLE).tolist():
        hashes[offsets[row]] = _digest(texts[row].as_py(), 8)
    return hashes ^ (hashes >> np.uint64(31)), offsets.astype(np.uint64)


def _numbered_words(texts: pa.Array) -> tuple[npt.NDArray[np.int64], pa.DictionaryArray]:
    """At which word each text begins, and after all how many there are; and all words in one array.

    A word has the space after it, but for a text's last. Splitting would make an array of strings in twice the time
    that it takes to find the spaces.
    """
    _, offsets, content = texts.buffers()
    begins = np.frombuffer(offsets, np.int32)[: len(texts) + 1]
    breaks = np.zeros(begins[-1] + 1, bool)
    np.equal(np.frombuffer(content, np.uint8)[: begins[-1]], _SPACE, out=breaks[1:])
    breaks[begins] = True
    ends = np.flatnonzero(breaks).astype(np.int32)
    words = pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), content)
    return np.searchsorted(ends, begins), words.dictionary_encode()


# The same few words are in most texts.
@lru_cache(maxsize=2**16)
def _digest(text: str, size: int) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=size).digest(), "little")
