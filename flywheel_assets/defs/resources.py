"""What asset bodies are given: the data folder, the lake, the operator's statements about skills."""

import os
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import yaml
from pydantic import PrivateAttr

from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.tables.documents.skills_file import SkillsFile


class WheelResource(dg.ConfigurableResource[None]):
    """Where the wheel lives. `lake_url` moves the tables alone, e.g. to an object store.

    `clock` is the time, in ISO 8601, that a replay of recorded or simulated runs is at.
    """

    data: str = "data"
    lake_url: str = ""
    clock: str = ""
    _lake: Lake | None = PrivateAttr(default=None)

    def now(self) -> datetime:
        """The time that landings, decisions and artifacts are dated by: the wall clock's but in a replay."""
        return datetime.fromisoformat(self.clock) if self.clock else datetime.now(UTC)

    def places(self) -> Places:
        """The data folder's layout."""
        return Places(Path(self.data), self.lake_url or None)

    def lake(self) -> Lake:
        """The tables: one object for all steps of a run, so that no step opens again what an earlier one opened."""
        if self._lake is None:
            self._lake = Lake(self.places().lake)
        return self._lake

    def typesense(self) -> tuple[str, str] | None:
        """Address and key of the server to publish to: TYPESENSE_URL and TYPESENSE_API_KEY, or None.

        Not fields: the UI shows a resource's fields, and a key is nobody's business.
        """
        url = os.environ.get("TYPESENSE_URL", "")
        return (url, os.environ.get("TYPESENSE_API_KEY", "")) if url else None

    def skills(self) -> SkillsFile:
        """`skills.yaml`; without the file, nothing is stated about any skill.

        Raises pydantic.ValidationError that names the field where the file does not fit.
        """
        path = self.places().skills_file
        return SkillsFile.model_validate(yaml.safe_load(path.read_text()) or {}) if path.exists() else SkillsFile()


def wheel_from_environment() -> WheelResource:
    """FLYWHEEL_DATA (default: data) and FLYWHEEL_LAKE (default: inside it)."""
    return WheelResource(data=os.environ.get("FLYWHEEL_DATA", "data"), lake_url=os.environ.get("FLYWHEEL_LAKE", ""))
