"""The operator's `skills.yaml`, or words on what is wrong with it."""

import yaml
from pydantic import ValidationError

from flywheel_assets.commands.envelope import RefusedError
from flywheel_assets.lake.places import Places
from flywheel_assets.tables.documents.skills_file import SkillsFile


def read_skills(places: Places) -> SkillsFile:
    """What is stated about skills; an absent file states nothing."""
    if not places.skills_file.exists():
        return SkillsFile()
    try:
        return SkillsFile.model_validate(yaml.safe_load(places.skills_file.read_text()) or {})
    except (yaml.YAMLError, ValidationError) as error:
        raise RefusedError(f"{places.skills_file} does not fit: {error}", ["mend the field named above"]) from error
