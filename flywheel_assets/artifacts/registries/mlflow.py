"""MLflow's prompt registry: each prompt version once, found again by a tag; alias `production` is moved to it.

Through its SDK (extra `mlflow`), to where MLFLOW_REGISTRY_URI or MLFLOW_TRACKING_URI points.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flywheel_assets.artifacts.push import InProduction

if TYPE_CHECKING:
    from mlflow import MlflowClient

ALIAS, TAG = "production", "flywheel.prompt_version"
_NAME = re.compile(r"[\w.-]+")


def push(prompt: InProduction, environment: Mapping[str, str]) -> str | None:
    """Register the version where there is none, then have the alias point at it."""
    uri = environment.get("MLFLOW_REGISTRY_URI") or environment.get("MLFLOW_TRACKING_URI")
    if not uri:
        return "set MLFLOW_TRACKING_URI"
    if not _NAME.fullmatch(prompt.skill):
        return "MLflow's prompt names are letters, digits, '_', '-' and '.' alone"
    try:
        import requests
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError:
        return "install flywheel-assets[mlflow]"
    try:
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.set_prompt_alias(prompt.skill, ALIAS, _version(client, prompt))
    except (MlflowException, requests.RequestException, OSError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _version(client: "MlflowClient", prompt: InProduction) -> int:
    """The number that the registry gave this text, now or before."""
    known = client.get_prompt(prompt.skill)
    for held in client.search_prompt_versions(prompt.skill) if known else ():
        if held.tags.get(TAG) == prompt.version and held.template == prompt.text:
            return held.version
    made = client.register_prompt(
        prompt.skill,
        prompt.text,
        commit_message=f"Promoted by {prompt.policy_id}",
        tags={TAG: prompt.version, "flywheel.policy_id": prompt.policy_id},
    )
    return made.version
