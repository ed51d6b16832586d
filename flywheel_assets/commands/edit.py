"""`flywheel edit SKILL`: have a model rewrite a skill's prompt by what its admitted runs show.

What comes of it is a file among the variants, `prompts/<skill>/edited-<version>.md`: the next turn takes it
for a candidate like any other, and who does not want it deletes it. Off until a model is named. Every
question to the gate pool is a line in `prompts/consultations.jsonl`, whatever came of it.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import orjson
from rich.text import Text

from flywheel_assets.artifacts.files import write_whole
from flywheel_assets.candidates.prompts.edit import (
    MOST_CHARACTERS,
    Ask,
    Consultation,
    Pools,
    SpentError,
    consult,
    edit,
    pools,
)
from flywheel_assets.candidates.prompts.incumbent import IncumbentPrompt
from flywheel_assets.candidates.prompts.material import usable
from flywheel_assets.candidates.prompts.propose import COLUMNS
from flywheel_assets.candidates.prompts.written import Variant, checked
from flywheel_assets.commands.edit_model import asking
from flywheel_assets.commands.envelope import Answer, RefusedError
from flywheel_assets.defs.candidates import incumbent_prompts, secret_in
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.examples.judge import UnavailableError
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.tables.documents.routing import prompt_version
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS

# Of the optimiser's draws.
SEED = 0
# So often may one gate pool be asked: after that, passing it says little.
MOST_CONSULTATIONS = 10


@dataclass(frozen=True, slots=True)
class Editor:
    """Who edits, and how many calls it may take."""

    model: str
    ask: Ask
    budget: int


def edited_by(places: Places, skill: str, model: str, base: str | None, timeout: float, budget: int) -> Answer:  # noqa: PLR0913, PLR0917 - a parameter is an option
    """Have `model` edit now; without one, nobody does."""
    if not model:
        raise RefusedError(
            "no model is configured to edit prompts", ["export FLYWHEEL_EDIT_MODEL=…, as LiteLLM names it"]
        )
    return edited(places, skill, Editor(model, asking(model, base, timeout), budget))


def edited(places: Places, skill: str, editor: Editor) -> Answer:
    """Search on the training pool, consult the gate once, and leave what passes among the variants."""
    incumbent = incumbent_prompts(WheelResource(data=str(places.data), lake_url=places.lake_url or "")).get(skill)
    if incumbent is None or incumbent.version == "-":
        raise RefusedError(f"the prompt of {skill} in production is unknown", ["state baseline_prompt in skills.yaml"])
    rows = Lake(places.lake).read(GATED_OBSERVATIONS, columns=COLUMNS).to_pylist()
    runs = [
        run for run in usable(row for row in rows if row["skill"] == skill) if run.prompt_version == incumbent.version
    ]
    found = pools(runs)
    if found.fault:
        raise RefusedError(found.fault, ["flywheel run"])
    log = places.prompts / "consultations.jsonl"
    pool = prompt_version("\n".join(sorted(run.run_id for run in found.gate)))
    asked = _times(log, pool)
    if asked >= MOST_CONSULTATIONS:
        raise RefusedError(f"this gate pool was asked {asked} times: wait for new runs", ["flywheel run"])
    calls, ask = _limited(editor)
    try:
        text, fault = _searched(incumbent, found, ask, editor.budget, skill)
        seen = None if fault else consult(text, incumbent.text, found.gate, ask)
    except (SpentError, UnavailableError) as error:
        return _answer(editor, calls(), None, None, str(error))
    if seen is None:
        return _answer(editor, calls(), None, None, fault or "")
    _log(log, skill, incumbent, pool, editor, seen, found)
    path = _kept(places.prompts, skill, seen) if seen.passed else None
    return _answer(editor, calls(), seen, path, None if seen.passed else "no better than production on the gate pool")


def _searched(incumbent: IncumbentPrompt, found: Pools, ask: Ask, budget: int, skill: str) -> tuple[str, str | None]:
    """The edited text, and why it cannot be a candidate."""
    text = edit(incumbent.text, found, ask, budget - 2 * len(found.gate), SEED)
    if text == incumbent.text:
        return text, "nothing better was found on the training pool"
    if len(text) > MOST_CHARACTERS:
        return text, f"what was found is {len(text)} characters long"
    (one,) = checked([Variant(skill, "edited.md", text.encode())], {skill: incumbent}, secret_in)
    return text, one.fault


def _limited(editor: Editor) -> tuple["_Count", Ask]:
    count = _Count()

    def ask(messages: Sequence[Mapping[str, str]], temperature: float) -> str:
        if count.made >= editor.budget:
            raise SpentError(f"the budget of {editor.budget} calls is used up")
        count.made += 1
        return editor.ask(messages, temperature)

    return count, ask


@dataclass(slots=True)
class _Count:
    """Calls made."""

    made: int = 0

    def __call__(self) -> int:
        """How many."""
        return self.made


def _times(log: Path, pool: str) -> int:
    lines = log.read_bytes().splitlines() if log.is_file() else []
    return sum(orjson.loads(line)["pool"] == pool for line in lines)


def _log(  # noqa: PLR0913, PLR0917 - what was asked, of whom, and what it said
    log: Path, skill: str, incumbent: IncumbentPrompt, pool: str, editor: Editor, seen: Consultation, found: Pools
) -> None:
    said = {
        "at": datetime.now(UTC).isoformat(),
        "skill": skill,
        "model": editor.model,
        "parent_version": incumbent.version,
        "prompt_version": prompt_version(seen.text),
        "pool": pool,
        "gate_runs": len(found.gate),
        "training_runs": len(found.training),
        "score": seen.score,
        "incumbent_score": seen.incumbent,
        "passed": seen.passed,
    }
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        file.write(orjson.dumps(said) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _kept(folder: Path, skill: str, seen: Consultation) -> Path:
    path = folder / quote(skill, safe="") / f"edited-{prompt_version(seen.text)}.md"
    write_whole(path, seen.text.encode())
    return path


def _answer(editor: Editor, calls: int, seen: Consultation | None, path: Path | None, fault: str | None) -> Answer:
    result: dict[str, object] = {"model": editor.model, "calls": calls, "budget": editor.budget, "fault": fault}
    result |= {"file": str(path) if path else None, "score": seen.score if seen else None}
    result |= {"incumbent_score": seen.incumbent if seen else None}
    shown = [Text(f"{editor.model}, {calls} of {editor.budget} calls: {fault or f'left in {path}'}")]
    return Answer(result, shown, ["flywheel run"] if path else [], ok=True)
