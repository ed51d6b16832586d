"""Git mode, with real git: one commit per decision, whatever dies, and going back is one revert."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from flywheel_assets.artifacts.commit import Committed, commit_decisions
from flywheel_assets.tables.documents.routing import PromptDocument, prompt_version
from flywheel_assets.tables.documents.scorer import ArmScore, Scorer
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXTS = ("Sort the ticket.", "Sort the ticket.\n\nCheck the year.\n", "Reply.\n")
PROMPTS = {
    (skill, prompt_version(text)): PromptDocument(skill=skill, version=prompt_version(text), text=text)
    for skill, text in (("triage", TEXTS[0]), ("triage", TEXTS[1]), ("a/b", TEXTS[2]))
}
FIRST, SECOND, OTHER = (f"north/small|{prompt_version(text)}|-" for text in TEXTS)
BARE = "north/large|-|-"


def entry(seq: int, kind: str, candidate: str, incumbent: str, skill: str = "triage") -> dict[str, object]:
    given = {"seq": seq, "entry_id": f"{seq:016x}", "kind": kind, "skill": skill, "reason": f"because\n{seq}"}
    given |= {"decided_at": AT + timedelta(hours=seq), "candidate_arm": candidate, "incumbent_arm": incumbent}
    zeros = {"candidate_units": 40, "incumbent_units": 60, "alpha": 0.05, "alpha_left": 0.01, "evidence_days": []}
    text = {column.name: "x" for column in PROMOTION_DECISIONS.columns if column.name not in {*given, *zeros}}
    return {**text, **zeros, **dict.fromkeys(("estimate", "lower", "upper", "e_value"), 0.25), **given}


LEDGER = PROMOTION_DECISIONS.rows(
    [
        entry(1, "registered", SECOND, FIRST),
        entry(2, "promoted", SECOND, FIRST),
        entry(3, "promoted", OTHER, BARE, "a/b"),
        entry(4, "held", BARE, SECOND),
        entry(5, "promoted", BARE, SECOND),
        entry(6, "rolled_back", BARE, SECOND),
    ]
)


def git(folder: Path, *arguments: str) -> str:
    who = {f"GIT_{role}_{part}": "ann" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    run = ["git", "-C", str(folder), *arguments]
    return subprocess.run(run, check=True, capture_output=True, text=True, env={**os.environ, **who}).stdout.strip()


def commit(folder: Path, upto: int = 6) -> Committed:
    return commit_decisions(LEDGER.slice(0, upto), PROMPTS, {}, folder)


def decisions(folder: Path) -> list[str]:
    said = git(folder, "log", "--reverse", "--format=%(trailers:key=Flywheel-Decision,valueonly)")
    return [line for line in said.splitlines() if line]


def test_each_promotion_and_rollback_is_one_commit_and_says_which_decision_it_is(tmp_path: Path):
    assert commit(tmp_path, 2) == Committed(("0000000000000002",))
    assert (tmp_path / "triage" / "prompt.md").read_text() == TEXTS[1]
    assert commit(tmp_path).entries == ("0000000000000003", "0000000000000005", "0000000000000006")
    assert commit(tmp_path) == Committed()
    assert decisions(tmp_path) == [f"{seq:016x}" for seq in (2, 3, 5, 6)]
    # And what was in production before the first decision about each skill, so that it can be reverted too.
    assert git(tmp_path, "rev-list", "--count", "HEAD") == "6"
    at = int((AT + timedelta(hours=6)).timestamp())
    assert git(tmp_path, "log", "-1", "--format=%an <%ae> %at") == f"flywheel <flywheel@localhost> {at}"
    route = orjson.loads((tmp_path / "triage" / "route.json").read_bytes())
    taught = prompt_version(TEXTS[1])
    assert route == {"skill": "triage", "model": "north/small", "prompt_version": taught, "tool_schema": "-"}
    assert (tmp_path / "triage" / "prompt.md").read_text() == TEXTS[1]
    assert (tmp_path / "a%2Fb" / "prompt.md").read_text() == TEXTS[2]
    assert git(tmp_path, "status", "--porcelain") == ""
    assert git(tmp_path, "fsck", "--strict") == ""


def test_a_promotion_is_undone_by_one_revert_that_touches_no_other_and_is_not_made_again(tmp_path: Path):
    commit(tmp_path, 3)
    promotion = git(tmp_path, "log", "--format=%H", "--grep", "Flywheel-Decision: 0000000000000002")
    git(tmp_path, "revert", "--no-edit", promotion)
    assert (tmp_path / "triage" / "prompt.md").read_text() == TEXTS[0]
    assert (tmp_path / "a%2Fb" / "prompt.md").read_text() == TEXTS[2]
    assert commit(tmp_path, 3) == Committed()
    assert (tmp_path / "triage" / "prompt.md").read_text() == TEXTS[0]
    assert commit(tmp_path, 5).entries == ("0000000000000005",)


def test_a_model_without_a_prompt_leaves_no_prompt_behind(tmp_path: Path):
    commit(tmp_path, 5)
    assert sorted(path.name for path in (tmp_path / "triage").iterdir()) == ["route.json"]


def test_the_same_ledger_gives_the_same_commits(tmp_path: Path):
    for name, steps in (("a", (6,)), ("b", (2, 3, 5, 6))):
        for upto in steps:
            commit(tmp_path / name, upto)
    assert git(tmp_path / "a", "rev-parse", "HEAD") == git(tmp_path / "b", "rev-parse", "HEAD")


def test_people_may_commit_beside_and_bare_repositories_are_served(tmp_path: Path):
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    git(tmp_path, "init", "-q", "own")
    (tmp_path / "own" / "README").write_text("ours\n")
    git(tmp_path / "own", "add", "README")
    git(tmp_path / "own", "commit", "-qm", "ours")
    for folder in (tmp_path / "bare.git", tmp_path / "own"):
        assert len(commit(folder).entries) == 4
        assert len(decisions(folder)) == 4
    assert (tmp_path / "own" / "README").read_text() == "ours\n"
    assert git(tmp_path / "own", "status", "--porcelain") == ""


def test_somebody_elses_project_and_unfinished_work_are_left_alone(tmp_path: Path):
    git(tmp_path, "init", "-q", "project")
    inside = tmp_path / "project" / "data"
    inside.mkdir()
    (inside / "file").write_text("x")
    assert "is no repository of its own" in str(commit(inside).fault)
    own = tmp_path / "own"
    commit(own, 2)
    (own / "triage" / "prompt.md").write_text("unfinished")
    assert "changes of its own" in str(commit(own).fault)
    assert (own / "triage" / "prompt.md").read_text() == "unfinished"
    # The other skill's decision came before and is in.
    assert decisions(own) == ["0000000000000002", "0000000000000003"]
    git(own, "checkout", "-q", ".")
    assert commit(own).entries == ("0000000000000005", "0000000000000006")


@pytest.mark.parametrize(
    "make", [lambda path: path.write_text("a file"), lambda path: (path / "x").mkdir(parents=True)]
)
def test_what_is_no_repository_is_a_fault_and_no_exception(tmp_path: Path, make):
    make(tmp_path / "at")
    assert commit(tmp_path / "at").fault


def test_an_unknown_text_stops_what_comes_after_it(tmp_path: Path):
    found = commit_decisions(
        LEDGER, {("triage", FIRST[12:24]): PROMPTS["triage", prompt_version(TEXTS[0])]}, {}, tmp_path
    )
    assert found.entries == ()
    assert "no text is known for prompt" in str(found.fault)


def test_a_contextual_policy_is_committed_with_its_rule(tmp_path: Path):
    rule = Scorer(buckets=1, unit=1, arms=(ArmScore(arm=BARE, bias=0.1),))
    ledger = PROMOTION_DECISIONS.rows([entry(1, "promoted", "scored/abc|-|-", BARE)])
    assert commit_decisions(ledger, {}, {"scored/abc": rule}, tmp_path).fault is None
    assert Scorer.model_validate_json((tmp_path / "triage" / "policy.json").read_bytes()) == rule


def test_a_repository_that_was_only_half_made_is_made_whole(tmp_path: Path):
    (tmp_path / "repository" / ".git" / "objects").mkdir(parents=True)
    assert commit(tmp_path / "repository").fault is None
    assert len(decisions(tmp_path / "repository")) == 4


CHILD = """
import sys
from pathlib import Path
from flywheel_assets_tests_commit import LEDGER, PROMPTS
from flywheel_assets.artifacts.commit import commit_decisions
print("ready", flush=True)
commit_decisions(LEDGER, PROMPTS, {}, Path(sys.argv[1]))
"""


@pytest.mark.parametrize("milliseconds", [5, 20, 40, 60, 80, 110, 150, 200])
def test_killed_at_any_time_it_is_made_whole_by_the_next_turn(tmp_path: Path, milliseconds: int):
    (tmp_path / "flywheel_assets_tests_commit.py").write_bytes(Path(__file__).read_bytes())
    repository = tmp_path / "repository"
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}"}
    command = [sys.executable, "-c", CHILD, str(repository)]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, start_new_session=True)
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == b"ready\n"
        time.sleep(milliseconds / 1000)
        child.send_signal(signal.SIGKILL)
        child.wait()
    # The git that it had started is of its group, and ends by itself.
    deadline = time.monotonic() + 30
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(child.pid, 0)
            time.sleep(0.01)
    assert commit(repository).fault is None
    assert decisions(repository) == [f"{seq:016x}" for seq in (2, 3, 5, 6)]
    assert git(repository, "rev-list", "--count", "HEAD") == "6"
    assert git(repository, "status", "--porcelain") == ""
