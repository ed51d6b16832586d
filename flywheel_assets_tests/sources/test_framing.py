"""Batches in files: which form a file has, and where its complete batches are."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_assets.sources.framing import kind_of, records

BARE = b"\x0a\x02\x12\x00"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", None),
        (b" \n\t", None),
        (b"\x00\x00\x01", None),
        (b"\x00\x00\x01\x00\x0a", "frames"),
        (b"\x00\x00\x00\x05(\xb5/\xfd", "frames"),
        (b'{"resourceSpans":[]}\n{"res', "lines"),
        (b'\xef\xbb\xbf{"resourceSpans":[]}', "lines"),
        (b'\n{"resourceSpans":[]}', "lines"),
        (b'{"resourceSp', "lines"),
        (b'{\n  "resourceSpans": []\n}', "document"),
        (b'{"resourceSpans": [\n', "document"),
        (BARE, "message"),
        (b"\x0a{\x0ay", "message"),
        (b"[1, 2]", "unknown"),
        (b"\x89PNG\r\n", "unknown"),
        (b"# a README", "unknown"),
    ],
)
def test_the_form_is_told_from_the_content(head: bytes, kind: str | None) -> None:
    assert kind_of(head) == kind


@pytest.mark.parametrize(
    ("kind", "data", "ranges", "end"),
    [
        ("lines", b"{}\n\n {} \r\n", [(0, 2), (5, 2)], 10),
        ("lines", b'{}\n{"a":', [(0, 2)], 3),
        ("lines", b'{}\n{"a":1}', [(0, 2), (3, 7)], 10),
        ("lines", b'{"a":\n{}\n', [(0, 5), (6, 2)], 9),
        ("frames", b"\0\0\0\x01a\0\0\0\0\0\0\0\x02b", [(4, 1)], 9),
        ("frames", b"\0\0\0\0\0\0\0\0", [], 8),
        ("document", b'{\n"a": 1}\n', [(0, 9)], 10),
        ("document", b'{\n"a": ', [], 0),
        ("message", BARE, [(0, 4)], 4),
        ("message", BARE[:-1], [], 0),
    ],
)
def test_only_complete_batches_are_found(kind: str, data: bytes, ranges: list[tuple[int, int]], end: int) -> None:
    found = records(data, kind, 0, 100)
    assert (found.ranges, found.end, found.broken) == (ranges, end, False)


def test_an_impossible_length_breaks_the_file() -> None:
    found = records(b"\0\0\0\x01a\xff\xff\xff\xff rest", "frames", 0, 100)
    assert (found.ranges, found.end, found.broken) == ([(4, 1)], 5, True)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
_LINES = st.dictionaries(st.text(max_size=3), _JSON, max_size=3).map(lambda value: json.dumps(value).encode())
_FORMS = st.one_of(
    st.tuples(st.just("frames"), st.lists(st.binary(min_size=1, max_size=300), max_size=8)),
    st.tuples(st.just("lines"), st.lists(_LINES, max_size=8)),
)


@given(form=_FORMS, cut=st.integers(0, 3000), again=st.integers(1, 4))
def test_a_file_cut_anywhere_gives_its_whole_batches_and_the_rest_when_it_has_grown(
    form: tuple[str, list[bytes]], cut: int, again: int
) -> None:
    kind, payloads = form
    written = [len(p).to_bytes(4, "big") + p if kind == "frames" else p + b"\n" for p in payloads]
    data = b"".join(written)
    found: list[bytes] = []
    position = 0
    for visible in (data[:cut], data):
        while (part := records(visible, kind, position, again)).ranges:
            found += [visible[offset : offset + length] for offset, length in part.ranges]
            position = sum(part.ranges[-1])
        assert found == payloads[: len(found)]
        whole = [end for end in _ends(written) if end <= len(visible)]
        # A line without its line feed is complete too.
        assert len(whole) <= len(found) <= len(whole) + (kind == "lines")
    assert found == payloads


def _ends(written: list[bytes]) -> list[int]:
    return [sum(map(len, written[: count + 1])) for count in range(len(written))]
