"""The operator's files that days are built by, as tables: a change of them makes the days stale that they touch."""

from pathlib import Path

import pyarrow as pa
import yaml
from pydantic import ValidationError

from flywheel_assets.lake.fingerprint import fingerprint
from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.documents.prices_file import PricesFile
from flywheel_assets.tables.documents.skills_file import SkillsFile
from flywheel_assets.tables.statements import GATE_SETTINGS, LABEL_SETTINGS, PRICES, SKILL_NAMES
from flywheel_assets.tables.table import Table


def write_statements(lake: Lake, prices_file: Path, skills_file: Path) -> dict[str, str]:
    """Bring what the files state up to date in its tables (`tables/statements.py`); returns what is wrong, by file.

    What does not fit changes nothing: what was stated before holds until the file is mended. An absent
    file states nothing.
    """
    stated = _stated(prices_file, skills_file)
    for _, table, rows in stated:
        if isinstance(rows, pa.Table):
            _write(lake, table, rows)
    return faults_of(prices_file, skills_file)


def faults_of(prices_file: Path, skills_file: Path) -> dict[str, str]:
    """What is wrong with the files, by file."""
    stated = _stated(prices_file, skills_file)
    return {path.name: rows for path, _, rows in stated if isinstance(rows, str)}


def _stated(prices_file: Path, skills_file: Path) -> list[tuple[Path, Table, pa.Table | str]]:
    """For each table its file and its rows, or what is wrong."""
    found: list[tuple[Path, Table, pa.Table | str]] = []
    for table, path, read in (
        (PRICES, prices_file, prices_of),
        (SKILL_NAMES, skills_file, names_of),
        (GATE_SETTINGS, skills_file, gates_of),
        (LABEL_SETTINGS, skills_file, settings_of),
    ):
        try:
            rows = read(yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None)
        except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
            found.append((path, table, str(error)))
        else:
            found.append((path, table, rows))
    return found


def prices_of(stated: object) -> pa.Table:
    """`prices` of what prices.yaml holds; raises ValidationError."""
    rows = [
        {
            "model_pattern": price.model,
            "from_day": price.since,
            "input_usd": price.input,
            "output_usd": price.output,
            "cache_read_usd": price.input if price.cache_read is None else price.cache_read,
            "cache_write_usd": price.input if price.cache_write is None else price.cache_write,
        }
        for price in PricesFile.model_validate(stated or {}).prices
    ]
    return PRICES.rows(sorted(rows, key=lambda row: (str(row["model_pattern"]), str(row["from_day"]))))


def names_of(stated: object) -> pa.Table:
    """`skill_names` of what skills.yaml holds; raises ValidationError."""
    names = SkillsFile.model_validate(stated or {}).names
    return SKILL_NAMES.rows([{"pattern": pattern, "skill": names[pattern]} for pattern in sorted(names)])


def gates_of(stated: object) -> pa.Table:
    """`gate_settings` of what skills.yaml holds; raises ValidationError."""
    file = SkillsFile.model_validate(stated or {})
    rows = {(gate, "shadow", "true") for gate in file.shadow}
    rows |= {("provenance", name, value) for name, some in file.provenance.allowed().items() for value in some}
    return GATE_SETTINGS.rows([dict(zip(GATE_SETTINGS.names, row, strict=True)) for row in sorted(rows)])


def settings_of(stated: object) -> pa.Table:
    """`label_settings` of what skills.yaml holds; raises ValidationError."""
    file = SkillsFile.model_validate(stated or {})
    hours = "outcome_horizon_hours"
    values = {(hours, name): skill.outcome_horizon_hours for name, skill in file.skills.items()}
    values |= {(name, "*"): getattr(file, name) for name in (hours, "anchor_share") if name in file.model_fields_set}
    return LABEL_SETTINGS.rows(
        [
            {"name": name, "skill": of, "value": values[name, of]}
            for name, of in sorted(values)
            if values[name, of] is not None
        ]
    )


def _write(lake: Lake, table: Table, rows: pa.Table) -> None:
    before = lake.fingerprint(table)
    if before != fingerprint(rows) and not (before is None and not rows.num_rows):
        lake.overwrite(table, rows)
