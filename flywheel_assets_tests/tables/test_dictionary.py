"""The data dictionary is what the tables say."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from flywheel_assets.tables.catalogue import STAGES, TABLES
from flywheel_assets.tables.dictionary import dictionary, type_name

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tables.md"


def test_the_page_is_generated():
    assert PAGE.read_text(encoding="utf-8") == dictionary()


def test_the_command_that_the_page_names_writes_it():
    found = subprocess.run([sys.executable, "-m", "flywheel_assets.tables.dictionary"], capture_output=True, check=True)
    assert found.stdout.decode() == dictionary()


def test_every_stage_table_and_column_is_on_the_page():
    page = dictionary()
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == list(STAGES)
    assert [line[4:] for line in page.splitlines() if line.startswith("### ")] == [table.name for table in TABLES]
    assert all(f"| `{column.name}` |" in page for table in TABLES for column in table.columns)


@pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])
def test_types_are_written_as_duckdb_has_them(table):
    con = duckdb.connect()
    con.register("rows", table.empty())
    found = [row[1].replace('"', "") for row in con.sql("DESCRIBE rows").fetchall()]
    expected = [type_name(column.type).replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE") for column in table.columns]
    assert found == expected
