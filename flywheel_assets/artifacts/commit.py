"""Git mode: one commit for each promotion and rollback, of plain files, so that going back is one revert.

Each skill has a folder of its own, so that reverting one promotion touches no other. A commit is built
beside and becomes visible by one compare-and-swap of the branch; which decisions are in it its trailers
say, so whenever the process dies, the next turn makes what is missing and nothing twice. The same ledger
gives the same commits, down to their hashes.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pyarrow as pa

from flywheel_assets.artifacts.files import write_whole
from flywheel_assets.artifacts.policies import Policies
from flywheel_assets.artifacts.prompts import Prompts
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.scorer import PREFIX

REPOSITORY = "FLYWHEEL_ARTIFACTS_GIT"
AUTHOR = ("flywheel", "flywheel@localhost")
DECISION, LAUNCH = "Flywheel-Decision", "Flywheel-Launch"
# Which files wait for being checked out; beside the index, so that it is nobody's content.
_WAITING = "flywheel-checkout.json"
Files = dict[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Committed:
    """Ledger entries that were committed now; `fault` says why the rest were not, which are tried again next time."""

    entries: tuple[str, ...] = ()
    fault: str | None = None


class RefusedError(Exception):
    """The repository cannot take a commit; says why."""


@dataclass(frozen=True, slots=True)
class _Commit:
    """What a commit says and changes; `files` has None where one goes."""

    subject: str
    body: str
    trailers: Mapping[str, str]
    at: str
    files: Files


def commit_decisions(ledger: pa.Table, prompts: Prompts, policies: Policies, folder: Path) -> Committed:
    """Commit every promotion and rollback of PROMOTION_DECISIONS that the branch checked out in `folder` lacks.

    A skill's launch state is committed before its first decision, so that this one can be reverted too.
    """
    done: list[str] = []
    try:
        repository = _Repository.at(folder)
        repository.check_out_what_waits()
        known = repository.trailers()
        for row in ledger.sort_by("seq").to_pylist():
            if row["kind"] not in ("promoted", "rolled_back"):
                continue
            if row["skill"] not in known[LAUNCH]:
                repository.commit(_at_launch(row, prompts, policies))
                known[LAUNCH].add(row["skill"])
            if row["entry_id"] not in known[DECISION]:
                repository.commit(_decision(row, prompts, policies))
                done.append(row["entry_id"])
    except (RefusedError, OSError) as error:
        return Committed(tuple(done), str(error))
    return Committed(tuple(done))


def _at_launch(row: Mapping[str, Any], prompts: Prompts, policies: Policies) -> _Commit:
    files = _files(row["skill"], row["incumbent_arm"], prompts, policies)
    subject = f"{row['skill']}: {row['incumbent_arm']} before the first decision"
    return _Commit(subject, "", {LAUNCH: row["skill"]}, row["decided_at"].isoformat(), files)


def _decision(row: Mapping[str, Any], prompts: Prompts, policies: Policies) -> _Commit:
    promoted = row["kind"] == "promoted"
    arm = row["candidate_arm"] if promoted else row["incumbent_arm"]
    trailers = {DECISION: row["entry_id"], "Flywheel-Experiment": row["experiment_id"], "Flywheel-Kind": row["kind"]}
    files = _files(row["skill"], arm, prompts, policies)
    subject = f"{row['skill']}: {arm} {'in production' if promoted else 'in production again'}"
    return _Commit(subject, row["reason"], trailers, row["decided_at"].isoformat(), files)


def _files(skill: str, arm: str, prompts: Prompts, policies: Policies) -> Files:
    """The skill's folder with this arm in production. Raises RefusedError where the prompt's text is unknown."""
    folder = quote(skill, safe="").replace(".", "%2E")
    parsed = Arm.parse(arm)
    prompt = prompts.get((skill, parsed.prompt_version))
    if prompt is None and parsed.prompt_version != "-":
        raise RefusedError(f"{skill}: no text is known for prompt {parsed.prompt_version}")
    policy = policies.get(parsed.model) if arm.startswith(PREFIX) else None
    route = {"skill": skill, **parsed.model_dump(mode="json")}
    return {
        f"{folder}/route.json": orjson.dumps(route, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE),
        f"{folder}/prompt.md": prompt.text.encode() if prompt else None,
        f"{folder}/policy.json": policy.model_dump_json(indent=1).encode() + b"\n" if policy else None,
    }


@dataclass(frozen=True, slots=True)
class _Repository:
    """A repository with a branch checked out; `work` is None where it is bare."""

    folder: Path
    git_folder: Path
    work: Path | None

    @classmethod
    def at(cls, folder: Path) -> "_Repository":
        """The repository whose top is `folder`; made where nothing is there yet."""
        if shutil.which("git") is None:
            raise RefusedError("git is not installed")
        folder.mkdir(parents=True, exist_ok=True)
        # Nothing but .git: an earlier turn may have died while it was made. What is whole stays as it is.
        if all(entry.name == ".git" for entry in folder.iterdir()):
            _git(folder, "init", "--quiet", "--initial-branch=main")
        git_folder = Path(_git(folder, "rev-parse", "--absolute-git-dir"))
        if _git(folder, "rev-parse", "--is-bare-repository") == "true":
            return cls(folder, git_folder, None)
        top = Path(_git(folder, "rev-parse", "--show-toplevel"))
        if top != folder.resolve():
            # Else a folder inside of somebody's project would be filled with commits of ours.
            raise RefusedError(f"{folder} is no repository of its own: it belongs to {top}")
        return cls(folder, git_folder, top)

    def head(self) -> str | None:
        """The newest commit; None before the first."""
        found = _git(self.folder, "rev-parse", "--verify", "--quiet", "HEAD", accepted=(0, 1))
        return found or None

    def trailers(self) -> dict[str, set[str]]:
        """The decisions and launches that the branch has."""
        if self.head() is None:
            return {DECISION: set(), LAUNCH: set()}
        return {name: set(self._values(name)) for name in (DECISION, LAUNCH)}

    def _values(self, name: str) -> Iterator[str]:
        said = _git(self.folder, "log", f"--format=%(trailers:key={name},valueonly,separator=%x0A)", "HEAD")
        return (line for line in said.splitlines() if line)

    def commit(self, what: _Commit) -> None:
        """Build the commit beside, swap the branch to it, check its files out."""
        before = self.head()
        self._refuse_changed(what.files)
        index = self.git_folder / f"flywheel-{os.getpid()}.index"
        try:
            _git(self.folder, "read-tree", before or "--empty", index=index)
            _git(self.folder, "update-index", "--index-info", index=index, given=self._listed(what.files))
            tree = _git(self.folder, "write-tree", index=index)
        finally:
            index.unlink(missing_ok=True)
        said = "\n\n".join(part for part in (what.subject, what.body, _trailing(what.trailers)) if part)
        parents = ("-p", before) if before else ()
        made = _git(self.folder, "commit-tree", tree, *parents, given=said.encode() + b"\n", at=what.at)
        if self.work is not None:
            write_whole(self.git_folder / _WAITING, orjson.dumps(sorted(what.files)))
        _git(self.folder, "update-ref", "-m", what.subject, "HEAD", made, before or "0" * len(made))
        self.check_out_what_waits()

    def check_out_what_waits(self) -> None:
        """Bring files whose commit is there into the working tree; a process that died left them out."""
        waiting = self.git_folder / _WAITING
        if not waiting.is_file():
            return
        if self.head() is not None:
            listed = (
                _git(self.folder, "ls-tree", "-r", "-z", "--name-only", "HEAD"),
                _git(self.folder, "ls-files", "-z"),
            )
            there = {name for names in listed for name in names.split("\0")}
            paths = [path for path in orjson.loads(waiting.read_bytes()) if path in there]
            if paths:
                _git(self.folder, "restore", "--quiet", "--source=HEAD", "--staged", "--worktree", "--", *paths)
        waiting.unlink()

    def _refuse_changed(self, files: Files) -> None:
        """Raise where somebody is at work on the same files."""
        if self.work is not None and (changed := _git(self.folder, "status", "--porcelain", "--", *files)):
            raise RefusedError(f"{self.folder} has changes of its own, commit or discard them: {changed}")

    def _listed(self, files: Files) -> bytes:
        """Lines for the index; content is stored on the way."""
        lines: list[str] = []
        for path, content in files.items():
            blob = None if content is None else _git(self.folder, "hash-object", "-w", "--stdin", given=content)
            lines.append(f"100644 {blob}\t{path}" if blob else f"0 {'0' * 40}\t{path}")
        return "".join(f"{line}\n" for line in lines).encode()


def _trailing(trailers: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {' '.join(value.split())}" for name, value in trailers.items())


def _git(
    folder: Path,
    *arguments: str,
    index: Path | None = None,
    given: bytes = b"",
    at: str = "",
    accepted: tuple[int, ...] = (0,),
) -> str:
    """What git prints. Raises RefusedError with what it complained of."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = inherited | {"GIT_LITERAL_PATHSPECS": "1", "LC_ALL": "C"}
    for role in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{role}_NAME": AUTHOR[0], f"GIT_{role}_EMAIL": AUTHOR[1]}
        if at:
            environment[f"GIT_{role}_DATE"] = at
    if index is not None:
        environment["GIT_INDEX_FILE"] = str(index)
    done = subprocess.run(  # noqa: S603 - arguments are this module's own, paths come after --
        ["git", "-C", str(folder), *arguments],  # noqa: S607 - whichever git the operator uses
        input=given,
        env=environment,
        capture_output=True,
        check=False,
    )
    if done.returncode not in accepted:
        raise RefusedError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode().strip()
