"""A table's contract: rows, conforming, and what refuses."""

import re
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_assets.tables.catalogue import BY_NAME, STAGES, TABLES
from flywheel_assets.tables.steps import DAY_STEPS, WHOLE_STEPS
from flywheel_assets.tables.table import DAY, INT, REAL, TEXT, TEXTS, TIME, Column, Table

PETS = Table(
    name="pets",
    stage="tests",
    row="One pet.",
    key=("name",),
    columns=(
        Column("name", TEXT, "What it is called", required=True),
        Column("weight", REAL, "How heavy; NULL: not weighed", "kg"),
        Column("legs", INT, "Legs"),
        Column("born", DAY, "Day of birth"),
        Column("fed_at", TIME, "Last meal"),
        Column("friends", TEXTS, "Names of friends"),
    ),
)


def test_rows_have_the_tables_columns_and_null_where_nothing_was_given():
    assert PETS.rows([{"legs": 4, "name": "Rex"}]).to_pylist() == [
        {"name": "Rex", "weight": None, "legs": 4, "born": None, "fed_at": None, "friends": None}
    ]
    assert PETS.rows([]) == PETS.empty()


def test_a_column_that_the_table_does_not_have_is_refused():
    with pytest.raises(ValueError, match=r"pets has no column \['colour', 'size'\]"):
        PETS.rows([{"name": "Rex", "size": 3}, {"name": "Tom", "colour": "black"}])


@pytest.mark.parametrize("value", ["heavy", b"1"])
def test_a_value_of_another_type_is_refused(value):
    with pytest.raises((pa.ArrowInvalid, pa.ArrowTypeError)):
        PETS.rows([{"name": "Rex", "weight": value}])


def test_conform_orders_and_casts_columns():
    rows = PETS.rows([{"name": "Rex", "legs": 4, "born": date(2026, 1, 1), "fed_at": datetime(2026, 1, 2, tzinfo=UTC)}])
    loose = rows.select(PETS.names[::-1]).set_column(3, "legs", pa.array([4], pa.int8()))
    loose = loose.set_column(0, "friends", pa.array([None], pa.large_list(pa.large_string())))
    assert PETS.conform(loose) == rows


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (PETS.empty().drop_columns(["legs"]), r"missing columns \['legs'\], unknown columns \[\]"),
        (PETS.empty().append_column("size", pa.array([], INT)), r"missing columns \[\], unknown columns \['size'\]"),
        (PETS.rows([{"legs": 4}]), r"NULL in required columns \['name'\]"),
    ],
)
def test_what_does_not_conform_is_refused_with_the_columns_named(data, said):
    with pytest.raises(ValueError, match=said):
        PETS.conform(data)


def test_a_value_that_does_not_fit_is_refused():
    halves = PETS.rows([{"name": "Rex"}]).set_column(2, "legs", pa.array([3.5]))
    with pytest.raises(pa.ArrowInvalid):
        PETS.conform(halves)


def test_a_comment_is_the_meaning_and_the_unit():
    assert [column.comment for column in PETS.columns][:2] == ["What it is called", "How heavy; NULL: not weighed [kg]"]


@given(st.lists(st.fixed_dictionaries({"name": st.text(), "weight": st.none() | st.floats(allow_nan=False)})))
def test_conforming_rows_stay_as_they_are(rows):
    table = PETS.rows(rows)
    assert PETS.conform(table) == table


@pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])
def test_each_table_of_the_wheel_is_well_formed(table: Table):
    required = {column.name for column in table.columns if column.required}
    assert BY_NAME[table.name] is table
    assert table.stage in STAGES
    assert len(set(table.names)) == len(table.names)
    assert set(table.key) <= set(table.names)
    # A vote may be about a span or a run, and a prompt may be refused: every key is known nevertheless.
    assert set(table.key) <= required
    assert table.by_day == ("day" in table.names)
    assert not table.by_day or (table.names[0] == "day" and "day" in required)
    assert table.row.endswith(".")
    assert not any(column.meaning.endswith(".") or column.meaning != column.meaning.strip() for column in table.columns)
    # Pages and the UI read it as Markdown, where a word in angle brackets vanishes.
    assert not any(re.search(r"(?<!`)<\w", column.meaning) for column in table.columns)
    assert not {"at", "op"} & set(table.names)


def test_every_step_writes_tables_of_one_stage_all_by_day_or_none():
    for step in (*DAY_STEPS, *WHOLE_STEPS):
        assert {table.stage for table in step.writes} == {step.stage}
        assert {table.by_day for table in step.writes} == {step.by_day}


def test_every_table_has_one_writer_and_is_written_before_it_is_read():
    steps = (*DAY_STEPS, *WHOLE_STEPS)
    writers = [table.name for step in steps for table in step.writes]
    assert len(writers) == len(set(writers))
    order = {table.name: place for place, table in enumerate(TABLES)}
    ledger = "promotion_decisions"
    for step in steps:
        for read in step.reads:
            before = all(order[read.table.name] < order[table.name] for table in step.writes)
            # The wheel: candidates look at what was decided in the turn before, labels at answers of earlier days.
            assert before or read.table.name == ledger or (read.table in step.writes and read.after < 0)
