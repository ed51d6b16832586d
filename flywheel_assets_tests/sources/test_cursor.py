"""A polled page is in the inbox before its cursor is saved, whatever breaks in between."""

from collections.abc import Iterator

import orjson
import pytest

from flywheel_assets.sources.cursor import Page, SourceUnavailableError, State, collect, read_cursor, save_cursor


class Counting:
    """Three pages of one byte-stable batch each; breaks before the page `breaks_at`."""

    name = "counting"

    def __init__(self, breaks_at: int = -1) -> None:
        self.breaks_at = breaks_at
        self.asked_from: list[State] = []

    def poll(self, cursor: State) -> Iterator[Page]:
        self.asked_from.append(cursor)
        for number in range(int(str(cursor.get("next", 0))), 3):
            if number == self.breaks_at:
                raise SourceUnavailableError("gone")
            payload = orjson.dumps({"resourceSpans": [], "page": number})
            yield Page({"next": number + 1}, payload, rows=2, set_aside={"odd": 1})


def pages_in(inbox) -> list[int]:
    lines = [line for path in sorted(inbox.iterdir()) for line in path.read_bytes().splitlines()]
    return [orjson.loads(line)["page"] for line in lines]


def test_every_page_is_in_the_inbox_and_the_numbers_add_up(tmp_path):
    done = collect(Counting(), tmp_path / "inbox", tmp_path / "cursors")
    assert pages_in(tmp_path / "inbox") == [0, 1, 2]
    assert (done.pages, done.rows, done.batches, done.set_aside) == (3, 6, 3, {"odd": 3})
    assert next((tmp_path / "inbox").iterdir()).name.startswith("counting-")


def test_a_poll_that_broke_goes_on_where_it_was(tmp_path):
    with pytest.raises(SourceUnavailableError):
        collect(Counting(breaks_at=2), tmp_path / "inbox", tmp_path / "cursors")
    assert read_cursor(tmp_path / "cursors", "counting") == {"next": 2}
    again = Counting()
    collect(again, tmp_path / "inbox", tmp_path / "cursors")
    assert again.asked_from == [{"next": 2}]
    assert sorted(pages_in(tmp_path / "inbox")) == [0, 1, 2]


def test_a_page_that_could_not_be_stored_leaves_the_cursor_before_it(tmp_path):
    class TwoLines(Counting):
        def poll(self, cursor: State) -> Iterator[Page]:
            yield Page({**cursor, "next": 1}, b"{}\n{}")

    with pytest.raises(ValueError, match="one line"):
        collect(TwoLines(), tmp_path / "inbox", tmp_path / "cursors")
    assert read_cursor(tmp_path / "cursors", "counting") == {}


def test_a_damaged_cursor_is_named_and_not_taken_for_a_beginning(tmp_path):
    (tmp_path / "counting.json").write_text("{")
    with pytest.raises(ValueError, match="delete it to read counting from the beginning"):
        read_cursor(tmp_path, "counting")
    (tmp_path / "counting.json").write_text("[]")
    with pytest.raises(TypeError, match="holds no cursor"):
        read_cursor(tmp_path, "counting")
    save_cursor(tmp_path, "counting", {"next": 3})
    assert read_cursor(tmp_path, "counting") == {"next": 3}
