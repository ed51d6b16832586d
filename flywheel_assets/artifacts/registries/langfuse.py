"""Langfuse: each prompt version once, found again by a label of its own; `production` is moved to it.

Over its HTTP interface, with the variables that its SDKs read: LANGFUSE_BASE_URL (or LANGFUSE_HOST),
LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY.
"""

from collections.abc import Mapping
from urllib.parse import quote

import httpx

from flywheel_assets.artifacts.push import InProduction

PRODUCTION = "production"
PROMPTS = "/api/public/v2/prompts"
SECONDS = 10.0


def push(prompt: InProduction, environment: Mapping[str, str]) -> str | None:
    """Create the version where there is none, then have `production` point at it."""
    base = environment.get("LANGFUSE_BASE_URL") or environment.get("LANGFUSE_HOST") or "https://cloud.langfuse.com"
    keys = tuple(environment.get(f"LANGFUSE_{which}_KEY", "") for which in ("PUBLIC", "SECRET"))
    if not all(keys):
        return "set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
    own = f"flywheel-{prompt.version}"
    try:
        with httpx.Client(base_url=base, auth=(keys[0], keys[1]), timeout=SECONDS) as client:
            path = f"{PROMPTS}/{quote(prompt.skill, safe='')}"
            found = client.get(path, params={"label": own})
            if found.status_code == 404:
                client.post(PROMPTS, json=created(prompt, own)).raise_for_status()
                return None
            held = found.raise_for_status().json()
            if PRODUCTION not in held["labels"]:
                labels = {"newLabels": sorted({*held["labels"], PRODUCTION} - {"latest"})}
                client.patch(f"{path}/versions/{held['version']}", json=labels).raise_for_status()
    except (httpx.HTTPError, ValueError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def created(prompt: InProduction, label: str) -> dict[str, object]:
    """The request that creates a version, in production from the start."""
    return {
        "type": "text",
        "name": prompt.skill,
        "prompt": prompt.text,
        "labels": [PRODUCTION, label],
        "tags": ["flywheel"],
        "config": {"prompt_version": prompt.version, "policy_id": prompt.policy_id},
        "commitMessage": f"Promoted by {prompt.policy_id}",
    }
