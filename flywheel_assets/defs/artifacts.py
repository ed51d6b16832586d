"""Stage 8 in Dagster: what agents load."""

import os
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

import dagster as dg
import pyarrow as pa

from flywheel_assets.artifacts.announce import announce
from flywheel_assets.artifacts.channel import Channel
from flywheel_assets.artifacts.commit import REPOSITORY, commit_decisions
from flywheel_assets.artifacts.evidence import Grounds
from flywheel_assets.artifacts.policies import known_policies
from flywheel_assets.artifacts.publish import Published, publish
from flywheel_assets.artifacts.push import push
from flywheel_assets.artifacts.signing import Sign, signer
from flywheel_assets.decisions.rollout import rollout
from flywheel_assets.defs.automation import when_content_changes
from flywheel_assets.defs.checks import stage_checks
from flywheel_assets.defs.graph import specs
from flywheel_assets.defs.report import Results, materialised, of
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.verdicts import Check, Verdict
from flywheel_assets.lake.places import Places
from flywheel_assets.tables.promoted_artifacts import PROMOTED_PROMPTS, PROMOTED_ROUTING
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES
from flywheel_assets.tables.steps import PUBLISH

RED = {
    "promoted_routing": "materialise it again: the documents are written beside, the pointer last. If the pointer's "
    "file was changed by hand, agents keep the last document that fits its hash.",
    "promoted_prompts": "materialise it again; `withheld` names prompts whose text is nowhere to be found.",
}

EXPORTERS = "flywheel.exporters"


@dg.multi_asset(
    name=PUBLISH.name,
    specs=specs(PUBLISH, RED, automation_condition=when_content_changes(), kinds=["json"]),
    retry_policy=dg.RetryPolicy(max_retries=2, delay=2),
    pool="artifacts",
)
def published(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Bring the documents that agents load up to date with the ledger."""
    lake, skills, places = wheel.lake(), wheel.skills(), wheel.places()
    ledger, candidates = lake.read(PROMOTION_DECISIONS), lake.read(PROMPT_CANDIDATES)
    routes = lake.read(ROUTING_CANDIDATES)
    grounds = Grounds(ledger, lake.versions([PROMOTION_DECISIONS, PROMPT_CANDIDATES, ROUTING_CANDIDATES]), wheel.now())
    states = rollout(ledger, skills)
    plugins = entry_points(group=EXPORTERS)
    files = {name: places.data / skill.file for name, skill in skills.skills.items() if skill.file}
    found = publish(
        places.artifacts,
        states,
        skills,
        candidates,
        grounds,
        routes=routes,
        files=files,
        plugins=plugins,
        sign=signing(),
    )
    written = [lake.overwrite(PROMOTED_ROUTING, found.routing), lake.overwrite(PROMOTED_PROMPTS, found.prompts)]
    said = shown(found) | ({} if wheel.clock else passed_on(found, ledger, places.artifacts, os.environ))
    yield from materialised(context, [table.name for table in PUBLISH.writes], [of(w, said) for w in written])


def signing() -> Sign | None:
    """What signs documents, where FLYWHEEL_SIGNING_KEY names a private key's file."""
    key = os.environ.get("FLYWHEEL_SIGNING_KEY")
    return signer(Path(key)) if key else None


def shown(found: Published) -> dict[str, object]:
    """What a person wants to know of a publication."""
    return {
        "policy": found.pointer.policy_id,
        "document changed": found.changed,
        "withheld": found.withheld,
        "exporter warnings": {name: list(warnings) for name, warnings in found.warnings.items() if warnings},
    }


def passed_on(found: Published, ledger: pa.Table, folder: Path, environment: Mapping[str, str]) -> dict[str, object]:
    """Tell whoever is configured to be told; what fails is said, tried again next turn, and stops nothing."""
    told = announce(ledger, folder, found.pointer.policy_id, environment)
    pushed = push(found.material, folder, environment)
    said: dict[str, object] = {
        "events sent": list(told.sent),
        "events not sent": told.fault or "none",
        "pushed to registries": list(pushed.taken),
        "not pushed": list(pushed.faults),
    }
    if repository := environment.get(REPOSITORY):
        committed = commit_decisions(ledger, found.material.prompts, known_policies(ledger), Path(repository))
        said |= {"committed": list(committed.entries), "not committed": committed.fault or "none"}
    return said


def faults(places: Places, table_says: str | None) -> list[str]:
    """What is wrong with what agents load: pointer, document, and the table must agree."""
    channel = Channel(places.artifacts)
    pointer = channel.pointer()
    if pointer is None:
        return [] if table_says is None else [f"the table says {table_says}, and {channel.file} is missing"]
    try:
        document = channel.load(pointer)
    except (OSError, ValueError) as error:
        return [str(error)]
    named = {pointer.policy_id, document.policy_id, table_says}
    return [] if len(named) == 1 else [f"pointer, document and table disagree: {sorted(map(str, named))}"]


def pointer_matches(wheel: WheelResource, _instance: dg.DagsterInstance) -> Verdict:
    """Reads the pointer and the document as an agent does, and compares with the table."""
    rows = wheel.lake().read(PROMOTED_ROUTING).to_pylist()
    current = next((row["artifact_id"] for row in rows if row["current"]), None)
    found = faults(wheel.places(), current)
    return Verdict(passed=not found, found={"current": str(current), "faults": found})


artifacts_checks = stage_checks(
    "artifacts",
    [
        Check(
            PROMOTED_ROUTING.name,
            "pointer_matches",
            "Agents load the document that the table calls current.",
            pointer_matches,
        )
    ],
)
