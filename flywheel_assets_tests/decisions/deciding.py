"""Decide again and again on the lake named in the first argument, and write as the asset does."""

import sys
from datetime import UTC, datetime

from flywheel_assets.decisions.decide import Inputs, decide
from flywheel_assets.defs.decisions import write
from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES

lake = Lake(sys.argv[1])
skills = SkillsFile(skills={f"skill-{number}": Skill(baseline_model="old", models=("new",)) for number in range(3)})
print("ready", flush=True)
while True:
    ledger = lake.read(PROMOTION_DECISIONS)
    # Every turn proposes an arm, and the one before is rejected: a registration and an end per skill.
    arm = f"arm-{ledger.num_rows}|-|-"
    rows = [
        {"candidate_id": arm, "skill": skill, "arm": arm, "model": "new", "incumbent_arm": "old|-|-"}
        | {"effective_n": 10.0**9 + ledger.num_rows, "state": "proposed", "reason": "x", "rank": 1}
        for skill in skills.skills
    ]
    now = datetime.now(UTC)
    versions = lake.versions([PROMOTION_DECISIONS])
    inputs = Inputs(
        ledger=ledger,
        routing_candidates=ROUTING_CANDIDATES.rows(rows),
        prompt_candidates=PROMPT_CANDIDATES.empty(),
        con=lake.connect([GATED_OBSERVATIONS]),
        skills=skills,
        now=now,
        manifest={"table_versions": versions},
        approvals=dict.fromkeys(ledger.column("experiment_id").to_pylist(), False),
    )
    write(lake, decide(inputs), inputs.manifest, now)
    print("turned", flush=True)
