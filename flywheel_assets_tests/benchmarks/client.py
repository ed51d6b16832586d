"""Import time of the client in milliseconds and time of `decide()` in microseconds, as one JSON object."""

import json
import tempfile
import time
import timeit
from pathlib import Path

started = time.perf_counter()
from flywheel_assets.client.client import Client  # noqa: E402

imported = time.perf_counter() - started


def main() -> None:
    """Decide from a published document of twenty skills."""
    from datetime import UTC, datetime

    from flywheel_assets.artifacts.evidence import Grounds
    from flywheel_assets.artifacts.publish import publish
    from flywheel_assets.decisions.rollout import rollout
    from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile
    from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
    from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES

    skills = SkillsFile(
        skills={f"skill-{n}": Skill(baseline_model="a/one", models=("b/two", "c/three")) for n in range(20)}
    )
    ledger = PROMOTION_DECISIONS.empty()
    with tempfile.TemporaryDirectory() as folder:
        grounds = Grounds(ledger, {}, datetime.now(UTC))
        publish(Path(folder), rollout(ledger, skills), skills, PROMPT_CANDIDATES.empty(), grounds)
        client = Client(folder)
        client.decide("skill-7", "warm")
        units = iter([f"unit-{n}" for n in range(200_000)])
        seconds = min(timeit.repeat(lambda: client.decide("skill-7", next(units)), number=20_000, repeat=5))
        client.close()
    print(json.dumps({"import_ms": imported * 1000, "decide_us": seconds / 20_000 * 1e6}))


if __name__ == "__main__":
    main()
