"""MinHash estimates the similarity that the exact comparison finds; known pairs fall on the right side."""

import hashlib
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from flywheel_assets.observations.signatures import (
    COMPOSED,
    SLOTS,
    band_keys,
    comparable,
    differs_in_content,
    jaccard,
    minhash,
    salted,
    salts,
)
from flywheel_assets_tests.benchmarks.gates import near_pairs


def said(*texts: str) -> pa.Array:
    return comparable(pa.chunked_array([pa.array(texts, pa.string())]), pa.chunked_array([pa.array([""] * len(texts))]))


@pytest.mark.parametrize(
    ("asked", "answered", "compared"),
    [
        (["a  b", None, ""], ["C, d!", "x", None], ["a b \x1f c d", "\x1f x", "\x1f"]),
        (["naïve “café”…", " (2) + 2\n"], ["I don't", " = 4 "], ["naïve café \x1f i don t", "2 + 2 \x1f = 4"]),
        (["K", "Cafe\u0301"], ["", "É"], ["k \x1f", "café \x1f é"]),
        (
            ["Ⅷ─ ’\u0301", "Ж\u0306"],
            ["\u1112\u1161\u11ab", "\u212bngstr\u00f6m"],
            ["ⅷ─ \u0301 \x1f 한", "ӂ \x1f ångström"],
        ),
        ([], [], []),
    ],
)
def test_words_are_compared_in_lower_case_and_one_space_apart(asked: list, answered: list, compared: list) -> None:
    sides = [pa.chunked_array([pa.array(["left out", *side], pa.string())])[1:] for side in (asked, answered)]
    assert comparable(*sides).to_pylist() == compared


def test_characters_that_count_as_composed_stay_and_join_none_before_them() -> None:
    every = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    among = pc.match_substring_regex(pa.array(every), f"[{COMPOSED}]").to_pylist()
    composed = {one for one, is_among in zip(every, among, strict=True) if is_among}
    assert len(composed) > 30_000
    assert all(unicodedata.is_normalized("NFC", one) and not unicodedata.combining(one) for one in composed)
    pairs = (unicodedata.decomposition(one).split() for one in every)
    assert composed.isdisjoint(chr(int(pair[1], 16)) for pair in pairs if len(pair) == 2 and pair[0][0] != "<")


WORDS = [hashlib.blake2b(str(number).encode(), digest_size=3).hexdigest() for number in range(400)]


@pytest.mark.parametrize("changed", [0, 10, 40, 100, 400])
def test_the_share_of_equal_slots_estimates_the_jaccard_similarity(changed: int) -> None:
    left, right = WORDS, [*WORDS[: len(WORDS) - changed], *(f"new{word}" for word in WORDS[len(WORDS) - changed :])]
    slots = minhash(said(" ".join(left), " ".join(right)))
    exact = jaccard(left, right)
    assert abs(float(np.mean(slots[0] == slots[1])) - exact) <= 4 * np.sqrt(0.25 / SLOTS)
    shared = np.isin(*band_keys(slots, np.zeros(2, np.int64))).any()
    assert shared or exact < 0.8


def test_texts_of_different_arms_or_scopes_share_nothing() -> None:
    same = minhash(said("the same words", "the same words"))
    slots = salted(same, salts(pa.table({"skill": [None, ""], "arm": ["one arm", "another"]})))
    assert not (slots[0] == slots[1]).any()
    assert (salted(same, pa.array(["one arm", "one arm"])) != same).any()
    same = salted(same, pa.array(["one arm", "one arm"]))
    assert (same[0] == same[1]).all()
    assert not np.isin(*band_keys(same, np.array([0, 1]))).any()


@pytest.mark.parametrize(
    "text", ["", "one", "one two three four", "one two three four five", "one two three four five six"]
)
def test_short_texts_have_a_signature_of_their_own(text: str) -> None:
    slots = minhash(said(text, text + " more", text.upper()))
    assert (slots[0] == slots[2]).all()
    assert not (slots[0] == slots[1]).all()


def test_a_signature_does_not_depend_on_its_neighbours() -> None:
    alone, among = minhash(said("a b c d e f")), minhash(said("x", "a b c d e f", ""))
    assert (alone[0] == among[1]).all()


@pytest.mark.parametrize(
    ("left", "right", "differs"),
    [
        ("a b c", "a b c d", False),
        ("a b c", "a b x", True),
        ("a b c", "c b a", False),
        ("it is so", "it is not so", True),
        ("take some", "take 3 some", True),
    ],
)
def test_replaced_words_numbers_and_negations_are_content(left: str, right: str, *, differs: bool) -> None:
    assert differs_in_content(left.split(), right.split()) is differs


def test_known_near_duplicates_are_told_from_questions_on_the_same_passage(shared_data: Path) -> None:
    positive, near = near_pairs(shared_data)
    assert near[positive].mean() >= 0.8
    assert positive[near].mean() >= 0.5


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("Hello,  World!\n", "“Yes” – it’s"), ("hello world", "yes it s"), True),
        (("caf\u00e9", "x"), ("CAFE\u0301", "x"), True),
        (("a", ""), ("", "a"), False),
        (("a b", "c"), ("a", "b c"), False),
        (("x = -1", "1"), ("x = 1", "1"), False),
        (("a < b", "1"), ("a > b", "1"), False),
        ((None, "a"), ("", "a"), True),
    ],
)
def test_texts_compare_without_case_spacing_and_sentence_marks_and_keep_their_sides(
    one: tuple, other: tuple, *, same: bool
) -> None:
    sides = [pa.chunked_array([pa.array(pair, pa.string())]) for pair in zip(one, other, strict=True)]
    left, right = comparable(*sides).to_pylist()
    assert (left == right) is same
