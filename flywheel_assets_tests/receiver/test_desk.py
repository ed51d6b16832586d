"""The desk over HTTP and in a browser: who is let in, what is taken, and what a forged request gets."""

import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from flywheel_assets.receiver.desk.session import LASTS_SECONDS, Sessions, name_of
from flywheel_assets.receiver.desk.work import Choice, Item, Page, Queue, UnfitError, Word

TOKEN = "correct horse"
CHOICES = (Choice("yes", "Agree", "y"), Choice("no", "Undo", "u", grave=True))
CHROMIUM = shutil.which("chromium")
SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"


@dataclass
class Box:
    """A queue of two items that remembers what it was told."""

    words: list[Word] = field(default_factory=list)
    fault: str = ""

    def queue(self) -> Queue:
        items = tuple(
            Item(f"item {number}", f"Case <{number}>", CHOICES, (("skill", "triage"),), (("Text", "<b>&</b>"),))
            for number in (1, 2)
        )
        return Queue("cases", "Cases", "Two of them.", lambda _part: Page(items, (("a & b", 2),)), self.take)

    def take(self, word: Word) -> str:
        if self.fault:
            raise UnfitError(self.fault)
        self.words.append(word)
        return "kept"


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def at(start: Callable[..., Any], box: Box) -> str:
    return start({"cases": box.queue()}, token=TOKEN).at.http


@contextmanager
def logged_in(at: str, name: str = "ann", token: str = TOKEN) -> Generator[httpx.Client]:
    with httpx.Client(base_url=at) as client:
        client.post("/desk/login", data={"name": name, "token": token})
        yield client


def form_token(client: httpx.Client) -> str:
    return client.get("/desk/cases").text.partition('name="form_token" value="')[2].partition('"')[0]


def test_nobody_sees_or_does_anything_without_the_token(at: str, box: Box) -> None:
    with httpx.Client(base_url=at) as client:
        for path in ("/desk", "/desk/cases"):
            shown = client.get(path)
            assert (shown.status_code, "Case" in shown.text) == (401, False)
        assert client.post("/desk/cases", data={"item": "item 1", "verb": "yes"}).status_code == 401
        refused = client.post("/desk/login", data={"name": "eve", "token": "guess"})
        assert (refused.status_code, client.cookies.get("flywheel_desk")) == (401, None)
        assert client.post("/desk/login", data={"name": " \t", "token": TOKEN}).status_code == 401
    assert box.words == []


def test_an_answer_is_kept_with_who_gave_it_and_shown_as_answered(at: str, box: Box) -> None:
    with logged_in(at, "ann\n  <script>") as client:
        shown = client.get("/desk/cases").text
        assert shown.count("<article") == 2
        assert "<b>&</b>" not in shown
        assert "<script>" not in shown
        said = {"form_token": form_token(client), "item": "item 1", "verb": "yes", "comment": " so ", "part": "a & b"}
        answer = client.post("/desk/cases", data=said, headers={"origin": at})
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk/cases?part=a%20%26%20b#item%201")
        after = client.get("/desk/cases").text
        assert client.get("/desk").text.count("<b>1</b>") == 1
    assert box.words == [Word("item 1", "yes", "ann <script>", "so")]
    assert (after.count('role="status"'), after.count('name="verb"')) == (1, 2)


def test_a_cookie_is_out_of_reach_of_scripts_and_other_sites_and_pages_load_nothing_foreign(at: str) -> None:
    with httpx.Client(base_url=at) as client:
        login = client.post("/desk/login", data={"name": "ann", "token": TOKEN})
        cookie = login.headers["set-cookie"].lower()
        assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/desk"))
        for path in ("/desk", "/desk/cases", "/desk/style.css", "/desk/keys.js", "/desk/nothing"):
            rules = client.get(path).headers["content-security-policy"]
            assert "default-src 'none'" in rules
            assert "frame-ancestors 'none'" in rules


def forged(client: httpx.Client, at: str) -> dict[str, dict[str, Any]]:
    """What an attacker may send, by what is wrong with it."""
    with logged_in(at, "eve") as other:
        foreign = form_token(other)
    mine = {"form_token": form_token(client), "item": "item 1", "verb": "yes"}
    return {
        "no form token": {"data": {"item": "item 1", "verb": "yes"}},
        "a form token of another session": {"data": mine | {"form_token": foreign}},
        "posted by another site": {"data": mine, "headers": {"origin": "http://evil.example"}},
        "posted by a page without an origin": {"data": mine, "headers": {"origin": "null"}},
        "another port of this host": {"data": mine, "headers": {"origin": "http://127.0.0.1:1"}},
        "too long": {"data": mine | {"comment": "x" * 100_000}},
    }


def test_forged_requests_are_refused(at: str, box: Box) -> None:
    with logged_in(at) as client:
        for wrong, request in forged(client, at).items():
            assert client.post("/desk/cases", **request).status_code == 403, wrong
        assert client.post("/desk/logout", data={}).status_code == 403
        assert client.get("/desk/cases").status_code == 200
    assert box.words == []


def test_what_cannot_be_taken_is_said_and_the_item_stays(at: str, box: Box) -> None:
    box.fault = "somebody answered first"
    with logged_in(at) as client:
        answer = client.post("/desk/cases", data={"form_token": form_token(client), "item": "item 1", "verb": "yes"})
        assert (answer.status_code, "somebody answered first" in answer.text) == (409, True)
        assert answer.text.count("<form method") + answer.text.count('<form class="who"') == 3
        missing = client.post("/desk/other", data={"form_token": form_token(client)})
        assert (missing.status_code, client.get("/desk/other").status_code) == (404, 404)


def test_logging_out_ends_the_session(at: str) -> None:
    with logged_in(at) as client:
        client.post("/desk/logout", data={"form_token": form_token(client)})
        assert client.get("/desk").status_code == 401


def test_without_a_token_a_name_is_enough_on_loopback_but_not_under_another_host(start, box: Box) -> None:
    at = start({"cases": box.queue()}).at.http
    with logged_in(at, token="") as client:
        assert client.get("/desk/cases").status_code == 200
        rebound = {"host": f"evil.example:{urlsplit(at).port}"}
        assert client.get("/desk/cases", headers=rebound).status_code == 403
        assert client.post("/desk/login", data={"name": "eve"}, headers=rebound).status_code == 403


def test_a_receiver_without_queues_has_no_desk(start) -> None:
    assert httpx.get(f"{start().at.http}/desk").status_code == 404


def test_a_cookie_holds_until_it_is_old_changed_or_the_token_is_another() -> None:
    sessions = Sessions(TOKEN)
    cookie = sessions.cookie("ann", 1000.0)
    assert sessions.session(cookie, 1000.0 + LASTS_SECONDS - 1).name == "ann"
    body, _, signature = cookie.rpartition(".")
    flipped = ("f" if signature[0] != "f" else "0") + signature[1:]
    for wrong in ("", "x", body, f"{body}.{flipped}", f"{body}x.{signature}", f"{body}.é"):
        assert sessions.session(wrong, 1000.0) is None
    assert sessions.session(cookie, 1000.0 + LASTS_SECONDS) is None
    assert Sessions("another").session(cookie, 1000.0) is None
    assert Sessions(None).session(Sessions(None).cookie("ann", 0.0), 0.0) is None
    assert (name_of(" a\r\n b\x00 "), len(name_of("x" * 500))) == ("a b", 80)


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_a_person_logs_in_and_answers_with_keys_alone(at: str, box: Box) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(base_url=at, color_scheme="dark")
        page.set_default_timeout(15_000)
        page.goto("/desk")
        page.keyboard.type("ann")
        page.keyboard.press("Tab")
        page.keyboard.type(TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_selector("text=What waits for a person")
        page.goto("/desk/cases")
        page.wait_for_selector("article:focus")
        # Return in the comment answers nothing; the letter on a button does.
        for key in ("c", "n", "o", "Enter", "Escape", "y"):
            page.keyboard.press(key)
        page.wait_for_selector("text=ann: kept")
        page.wait_for_selector("article:nth-of-type(2):focus")
        page.keyboard.press("u")
        page.wait_for_selector("text=Yes: undo")
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(SCREENSHOTS / "desk.png"))
        assert len(box.words) == 1
        page.keyboard.press("Enter")
        page.locator(".done").nth(1).wait_for()
        browser.close()
    assert box.words == [Word("item 1", "yes", "ann", "no"), Word("item 2", "no", "ann")]
