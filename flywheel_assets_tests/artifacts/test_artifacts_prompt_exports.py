"""Prompts as the files that agents read: patched where people keep them, whole where they do not."""

import subprocess
from pathlib import Path

import pytest
import skills_ref
import yaml

from flywheel_assets.artifacts.export import Material, export
from flywheel_assets.artifacts.exporters.agent_files import Wanted, patch, rewritten
from flywheel_assets.artifacts.routing import routing_document
from flywheel_assets.tables.documents.prompt_sections import EXAMPLES, LESSONS
from flywheel_assets.tables.documents.routing import PromptDocument, prompt_version
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile

LAUNCH = "Sort the ticket.\n\nBe brief."
TAUGHT = f"{LAUNCH}\n\n{LESSONS}\n\n- Ask about refunds.\n\n{EXAMPLES}\n\n> one\n"
AGAIN = f"{LAUNCH}\n\n{LESSONS}\n\n- Check the year.\n"
SKILL_MD = f"""---
name: triage
description: "Sorts tickets: billing, login, other."   # triggers
license: MIT
metadata:
  owner: desk
  version: "1.4.9"
---
{LAUNCH}
"""
AGENT_MD = f"---\nname: triage\nmodel: old/model  # fast\nthinking: low\ntools: [read, grep]\n---\n\n{LAUNCH}\n"


def wanted(text: str) -> Wanted:
    return Wanted(text, "north/large", (LAUNCH, TAUGHT, AGAIN))


@pytest.mark.parametrize(
    ("before", "text", "after"),
    [
        (SKILL_MD, TAUGHT, SKILL_MD.replace("1.4.9", "1.4.10").replace(LAUNCH, TAUGHT.strip())),
        (SKILL_MD, LAUNCH, SKILL_MD),
        (SKILL_MD.replace("\n", "\r\n"), LAUNCH, SKILL_MD.replace("\n", "\r\n")),
        (
            SKILL_MD.replace("\n", "\r\n"),
            TAUGHT,
            SKILL_MD.replace("1.4.9", "1.4.10").replace(LAUNCH, TAUGHT.strip()).replace("\n", "\r\n"),
        ),
        (AGENT_MD, TAUGHT, AGENT_MD.replace("old/model", "north/large").replace(LAUNCH, TAUGHT.strip())),
        (AGENT_MD, LAUNCH, AGENT_MD.replace("old/model", "north/large")),
        (f"# Notes\n\n{TAUGHT.strip()}\n\nKept.", AGAIN, f"# Notes\n\n{AGAIN.strip()}\n\nKept."),
        (f"# Notes\n\n{TAUGHT.strip()}\n\nKept.", LAUNCH, f"# Notes\n\n{LAUNCH}\n\nKept."),
        ("", TAUGHT, f"{TAUGHT.strip()}\n"),
        ("My own words.\n", TAUGHT, f"My own words.{TAUGHT.removeprefix(LAUNCH).rstrip()}\n"),
        (
            f"My own words.\n\n{LESSONS}\n\n- Old.\n",
            TAUGHT,
            f"My own words.{TAUGHT.removeprefix(LAUNCH).rstrip()}\n",
        ),
        ("My own words.\n", LAUNCH, "My own words.\n"),
        ("---\nname: [broken\n---\nSort.", TAUGHT, "---\nname: [broken\n---\nSort."),
    ],
    ids=[
        "skill taught", "skill current", "windows current", "windows taught", "agent taught", "agent's model alone",
        "passage", "passage back", "empty", "own words", "own words taught before", "own words, nothing compiled",
        "broken front matter",
    ],
)  # fmt: skip
def test_a_file_gets_the_prompt_and_keeps_everything_else(before: str, text: str, after: str):
    found, _ = rewritten(before, wanted(text))
    assert found == after
    assert rewritten(found, wanted(text))[0] == found


@pytest.mark.parametrize(
    ("before", "text", "said"),
    [
        ("My own words.\n", LAUNCH, "put the new one in by hand"),
        ("My own words.\n", TAUGHT, "changed by hand"),
        (AGENT_MD, TAUGHT, "no version"),
        ("---\n- list\n---\nSort.", TAUGHT, "no YAML mapping"),
    ],
)
def test_what_cannot_be_done_to_a_file_is_said(before: str, text: str, said: str):
    assert any(said in one for one in rewritten(before, wanted(text))[1])


@pytest.mark.parametrize("version", ["2", "'0.9'", "1.0.0 # note"])
def test_whatever_has_numbers_is_raised_and_others_versions_are_not(version: str):
    front = f"---\nname: a\ndependencies:\n  tool:\n    version: 7.7.7\nversion: {version}\n---\n"
    found, _ = rewritten(f"{front}{LAUNCH}\n", wanted(TAUGHT))
    before, after = (yaml.safe_load(text.split("---")[1]) for text in (front, found))
    assert before["dependencies"] == after["dependencies"]
    assert str(before["version"]) != str(after["version"])


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("ending", ["\n", ""], ids=["line feed at the end", "none"])
@pytest.mark.parametrize("before", [SKILL_MD, "a\u2028b\n\x0cc\nSort.\n"], ids=["skill", "odd separators"])
def test_git_applies_the_patch(tmp_path: Path, before: str, ending: str):
    git(tmp_path, "init", "-q")
    after, _ = rewritten(before.rstrip("\n") + ending, Wanted(TAUGHT, "m", (LAUNCH, "Sort.")))
    (tmp_path / "SKILL.md").write_bytes((before.rstrip("\n") + ending).encode())
    (tmp_path / "it.patch").write_bytes(patch(before.rstrip("\n") + ending, after, "SKILL.md").encode())
    git(tmp_path, "apply", "it.patch")
    assert (tmp_path / "SKILL.md").read_bytes() == after.encode()


@pytest.fixture
def material(rollout, tmp_path: Path) -> Material:
    """A skill whose file lies in a repository, and whose prompt in production was taught."""
    prompts = {("triage", prompt_version(text)): text for text in (LAUNCH, TAUGHT)}
    known = {key: PromptDocument(skill="triage", version=key[1], text=text) for key, text in prompts.items()}
    arm = f"north/large|{prompt_version(TAUGHT)}|-"
    skills = SkillsFile(skills={"triage": Skill(baseline_model="north/large", baseline_prompt=LAUNCH)})
    file = tmp_path / "agents" / "skills" / "triage" / "SKILL.md"
    file.parent.mkdir(parents=True)
    file.write_text(SKILL_MD)
    git(tmp_path / "agents", "init", "-q")
    return Material(routing_document({"triage": rollout(arm, arm)}, skills, None), known, {"triage": file})


def test_the_agents_own_repository_takes_the_patch_and_their_validator_the_skill(material: Material, tmp_path: Path):
    assert export(material, tmp_path / "out")["files/triage/triage/SKILL.md"] == ()
    proposed = tmp_path / "out" / "files" / "triage" / "triage"
    assert skills_ref.validate(proposed) == []
    git(tmp_path / "agents", "apply", str(proposed / "SKILL.md.patch"))
    assert material.files["triage"].read_bytes() == (proposed / "SKILL.md").read_bytes()
    assert skills_ref.read_properties(proposed).metadata == {"owner": "desk", "version": "1.4.10"}
    # Applied: nothing is left to propose, and the old proposal is gone.
    export(material, tmp_path / "out")
    assert sorted(path.name for path in proposed.iterdir()) == ["SKILL.md"]


def test_a_file_that_is_not_there_is_a_warning(material: Material, tmp_path: Path):
    material.files["triage"].unlink()
    said = export(material, tmp_path / "out")
    assert said["files/triage/triage/SKILL.md"] == ("triage: SKILL.md cannot be read (FileNotFoundError)",)


def test_plain_files_say_what_is_in_production(material: Material, tmp_path: Path):
    export(material, tmp_path)
    assert (tmp_path / "prompts" / "triage.md").read_text() == TAUGHT
    skill = yaml.safe_load((tmp_path / "prompts.yaml").read_text())["skills"]["triage"]
    assert skill["prompt"] == TAUGHT
    assert prompt_version(skill["prompt"]) == skill["prompt_version"]
    assert skill["model"] == "north/large"
    assert sum(skill["shares"].values()) == pytest.approx(1)
