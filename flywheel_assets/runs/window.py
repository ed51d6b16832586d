"""Spans of a day and its neighbour, each placed in its run, as a table in DuckDB."""

from datetime import date
from typing import TYPE_CHECKING, Any, cast

import duckdb
import numpy as np
import pyarrow as pa

from flywheel_assets.runs.place import Placement, Window, place
from flywheel_assets.runs.script import run_script
from flywheel_assets.runs.units import registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The narrow columns that a fold needs of every span: content stays where it is.
# fmt: off
COLUMNS = (
    "day", "trace_id", "span_id", "parent_span_id", "name", "start_time", "start_unix_nano", "duration_ns",
    "status", "service_name", "dialect", "operation", "request_model", "response_model", "input_tokens",
    "output_tokens", "cost_usd", "finish_reason", "agent_name", "workflow_name", "session_id", "user_id",
    "prompt_version", "skill_name", "error_type", "invocation_id", "invocation_target", "step_id", "decision_id",
    "policy_id", "experiment_id", "arm", "segment", "propensity", "keep_prob", "unit_id", "candidate_set",
    "input_key", "output_key",
)
# fmt: on


def define_units(con: duckdb.DuckDBPyConnection) -> None:
    """`unit_spans`: `raw_spans` without content, with what the runtimes' units say of each span."""
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW unit_spans AS
        SELECT {", ".join(COLUMNS)},
            {registry.runtime_sql()} AS runtime,
            {registry.states_sql()} AS states,
            {registry.mirrors_sql()} AS mirrors,
            {registry.attempt_sql()} AS stated_attempt,
            {registry.invokes_sql()} AS invokes
        FROM raw_spans
    """)


def place_window(con: duckdb.DuckDBPyConnection, first: date, last: date, whole: date | None, name: str) -> None:
    """Table `name`: the spans of first..last with the position of their run's root in the same table.

    Only `whole` comes with all its spans; of the other day, those in traces or invocations that
    reach over midnight.
    """
    run_script(con, "window", {"first": first, "last": last, "whole": whole})
    columns = cast("dict[str, NDArray[Any]]", run_script(con, "edges").fetchnumpy())
    placement = place(Window(**{**columns, "attempt": np.ma.filled(columns["attempt"], np.nan)}))
    con.register("placed", _arrow(placement))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM spans_of_window JOIN placed USING (idx)")
    con.unregister("placed")


def _arrow(placement: Placement) -> pa.Table:
    return pa.table(
        {
            "idx": np.arange(len(placement.root)),
            "root_idx": placement.root,
            "first_idx": placement.first,
            "annotation": placement.annotation,
            "call": placement.call,
            "own": placement.own,
            "attempt": placement.attempt,
        }
    )
