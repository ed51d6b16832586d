"""Variants in a folder: the good are candidates, the bad are named, one is tried at a time, the rest explored."""

from datetime import date
from pathlib import Path

import pytest

from flywheel_assets.artifacts.prompts import waiting
from flywheel_assets.candidates.prompts.incumbent import IncumbentPrompt
from flywheel_assets.candidates.prompts.search import with_variants
from flywheel_assets.candidates.prompts.written import MOST_BYTES, checked, variants_in
from flywheel_assets.tables.documents.routing import prompt_version
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES
from flywheel_assets.tables.skill_scores import SKILL_SCORES

NOW = "Sort {ticket}."
INCUMBENT = IncumbentPrompt(prompt_version(NOW), NOW, f"m|{prompt_version(NOW)}|-")
INCUMBENTS = {"triage": INCUMBENT, "a/b": IncumbentPrompt("-", "", "m|-|-")}


def unfit(text: str) -> str | None:
    return "holds a secret" if "hunter2" in text else None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "triage/short.md": b"Sort {ticket} now.",
        "triage/again.md": b"Sort {ticket} now.",
        "triage/same.txt": NOW.encode(),
        "triage/empty.md": b" \n",
        "triage/latin.md": "Sortiere {ticket} gründlich.".encode("latin-1"),
        "triage/long.md": b"{ticket}" + b"x" * MOST_BYTES,
        "triage/code.py": b"print({ticket})",
        "triage/lacking.md": b"Sort the ticket.",
        "triage/secret.md": b"Sort {ticket}, hunter2",
        "triage/nul.md": b"Sort {ticket}\0",
        "triage/.hidden.md": b"Sort {ticket}?",
        "nobody/x.md": b"Hello.",
        "a%2Fb/x.md": b"Hello.",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_every_file_is_a_candidate_or_is_named_with_its_fault(folder: Path):
    found = {one.path: one.fault for one in checked(variants_in(folder), INCUMBENTS, unfit)}
    assert found == {
        # The first of two equal files, by path, speaks for both.
        "triage/again.md": None,
        "triage/code.py": "only .md and .txt files are read",
        "triage/empty.md": "empty",
        "triage/lacking.md": "lacks {ticket}, which the prompt in production has",
        "triage/latin.md": "not UTF-8 at byte 20",
        "triage/long.md": f"{MOST_BYTES + 8} bytes; at most {MOST_BYTES} are read",
        "triage/nul.md": "holds a NUL character",
        "triage/same.txt": None,
        "triage/secret.md": "holds a secret",
        "nobody/x.md": "skills.yaml names no such skill, or the prompt in production is unknown",
        "a%2Fb/x.md": None,
    }


def rows(folder: Path, tried: frozenset[str] = frozenset(), scores: list[dict[str, object]] | None = None):
    variants = checked(variants_in(folder), INCUMBENTS, unfit)
    table = with_variants(PROMPT_CANDIDATES.empty(), variants, INCUMBENTS, tried, SKILL_SCORES.rows(scores or []))
    return {(row["skill"], row["reason"].partition(":")[0]): row for row in table.to_pylist()}


def test_the_row_has_the_text_byte_for_byte_and_its_hash(folder: Path):
    row = rows(folder)["triage", "triage/again.md"]
    assert row["text"] == "Sort {ticket} now."
    assert row["prompt_version"] == prompt_version(row["text"])
    assert row["parent_version"] == INCUMBENT.version
    assert row["state"] == "proposed"
    assert rows(folder)["a/b", "a%2Fb/x.md"]["state"] == "proposed"


@pytest.mark.parametrize(
    ("path", "tried", "said"),
    [
        ("triage/same.txt", "", "in production"),
        ("triage/again.md", "Sort {ticket} now.", "on trial or tried before"),
        ("triage/secret.md", "", "holds a secret"),
    ],
)
def test_what_is_not_to_be_tried_is_refused_with_its_reason(folder: Path, path: str, tried: str, said: str):
    row = rows(folder, frozenset({prompt_version(tried)}))["triage", path]
    assert (row["state"], row["reason"]) == ("refused", f"{path}: {said}")
    # What was tried may be in production: its text stays at hand. What is unfit is never stored.
    assert (row["text"] is None) == (path == "triage/secret.md")


def test_nothing_in_the_folder_is_changed(folder: Path):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    rows(folder)
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert variants_in(folder / "nowhere") == []


def score(text: str, mean: float, runs: float) -> dict[str, object]:
    version = prompt_version(text)
    width = 1.96 * (mean * (1 - mean) / runs) ** 0.5
    numbers = {"effective_n": runs, "score": mean, "lower": mean - width, "upper": mean + width}
    named = {"skill": "triage", "arm": f"m|{version}|-", "model": "m", "prompt_version": version}
    text_columns = {column.name: "x" for column in SKILL_SCORES.columns if column.name in ("standing", "reason")}
    days = dict.fromkeys(("first_day", "last_day"), date(2026, 3, 1))
    counts = dict.fromkeys(("runs", "admitted", "missing", "immature", "refused"), int(runs))
    return {**text_columns, **counts, **numbers, **named, **days}


def test_of_many_the_most_promising_is_proposed_the_hopeless_refused_and_the_rest_explored(tmp_path: Path):
    (tmp_path / "triage").mkdir()
    for number in range(4):
        (tmp_path / "triage" / f"{number}.md").write_text(f"{NOW} {number}")
    scores = [score(NOW, 0.5, 400)]
    scores += [score(f"{NOW} {number}", mean, 60) for number, mean in ((0, 0.5), (1, 0.2), (2, 0.7))]
    # As long as one was hardly seen, none is picked; the hopeless need not be waited for.
    states = {path: row["state"] for (_, path), row in rows(tmp_path, scores=scores).items()}
    assert [states[f"triage/{number}.md"] for number in range(4)] == ["waiting", "refused", "waiting", "waiting"]
    found = rows(tmp_path, scores=[*scores, score(f"{NOW} 3", 0.5, 9)])
    assert {path.partition("/")[2]: row["state"] for (_, path), row in found.items()} == {
        "0.md": "waiting",
        "1.md": "refused",
        "2.md": "proposed",
        "3.md": "waiting",
    }
    assert "dominated: better than production in 0% of draws" in found["triage", "triage/1.md"]["reason"]
    assert found["triage", "triage/2.md"]["support"] == 60
    table = PROMPT_CANDIDATES.rows(list(found.values()))
    assert waiting(table) == {"triage": sorted(prompt_version(f"{NOW} {number}") for number in (0, 2, 3))}


def test_what_was_seen_with_another_model_says_nothing_here(tmp_path: Path):
    (tmp_path / "triage").mkdir()
    (tmp_path / "triage" / "0.md").write_text(f"{NOW} 0")
    other = score(f"{NOW} 0", 0.01, 500) | {"arm": f"n|{prompt_version(f'{NOW} 0')}|-", "model": "n"}
    found = rows(tmp_path, scores=[score(NOW, 0.5, 400), other])
    assert found["triage", "triage/0.md"]["state"] == "proposed"
