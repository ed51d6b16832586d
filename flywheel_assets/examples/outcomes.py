"""Every run of a day, and every span of them that was voted on, with its label or why it has none."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from datetime import timedelta

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.tables.steps import OUTCOME_HORIZON_HOURS
from flywheel_assets.tables.table import TIME

HORIZON = timedelta(hours=OUTCOME_HORIZON_HOURS)
MICROSECOND = timedelta(microseconds=1)
SEEN = """
SELECT max(latest) FROM (
    SELECT max(epoch_us(start_time) + coalesce(duration_ns, 0) // 1000) AS latest FROM raw_spans
    UNION ALL SELECT max(epoch_us(observed_at)) FROM feedback
)
"""
STATED = "SELECT skill, to_seconds(value * 3600) FROM label_settings WHERE name = 'outcome_horizon_hours'"
# The second part of a span's id.
SPAN = "^[^:]*:?(?P<span_id>[^:]*)"


def outcomes(con: duckdb.DuckDBPyConnection, runs: pa.Table, votes: pa.Table, fused: pa.Table) -> pa.Table:
    """`labeled_examples` by example_id, without facts of their runs but `run`, its place in `runs`, run_id and skill.

    `votes` are ballots, and `fused` is what `fuse` makes of them. A run is immature while nothing visible on `con`
    is later than its end plus its skill's horizon, as `label_settings` there has it.
    """
    chosen = _chosen(runs, votes)
    run, example = chosen["run"], chosen["example_id"]
    told = fused.take(pc.index_in(example, fused["example_id"].combine_chunks()))
    ended = _ended(runs)
    known, closed = pc.is_valid(told["outcome"]), pc.not_equal(runs["status"], "open").take(run)
    waiting = pc.greater(pc.add(ended, _waited(con, runs["skill"])), con.execute(SEEN).fetchall()[0][0])
    unknown = pc.if_else(pc.fill_null(waiting, fill_value=False), "immature", "missing").take(run)
    known_at = pc.max_element_wise(ended.take(run), _heard(example, votes)).cast(TIME)
    labelers = told["labelers"]
    return pa.table(
        {
            **{name: chosen[name] for name in chosen.column_names},
            **{name: runs[name].take(run) for name in ("run_id", "skill")},
            **{name: _where(closed, told[name]) for name in ("outcome", "confidence", "weight", "tier")},
            "outcome_state": pc.if_else(closed, pc.if_else(known, "labeled", unknown), "open"),
            "known_at": _where(pc.and_(closed, known), known_at),
            "labelers": pc.if_else(pc.is_valid(labelers), labelers, pa.scalar([], labelers.type)),
            "votes": pc.fill_null(told["votes"], 0),
            "dissent": pc.if_else(closed, pc.fill_null(told["dissent"], 0), 0),
        }
    )


def _chosen(runs: pa.Table, votes: pa.Table) -> pa.Table:
    """run, example_id, grain and span_id of the examples."""
    names = runs["run_id"].combine_chunks()
    whole = pa.table({"run": pa.array(range(len(runs)), pa.int32()), "example_id": names})
    whole = whole.append_column("grain", pa.repeat("run", len(runs))).append_column(
        "span_id", pa.nulls(len(runs), pa.string())
    )
    spans = votes.filter(pc.equal(votes["grain"], "span")).group_by(["example_id", "run_id"]).aggregate([])
    spans = spans.append_column("run", pc.index_in(spans["run_id"], names)).filter(pc.field("run").is_valid())
    if not len(spans):
        return whole
    spans = spans.append_column("grain", pa.repeat("span", len(spans))).append_column(
        "span_id", pc.struct_field(pc.extract_regex(spans["example_id"], SPAN), "span_id")
    )
    found = pa.concat_tables([whole, spans.select(whole.column_names)])
    return found.take(pc.sort_indices(found["example_id"]))


def _ended(runs: pa.Table) -> pa.ChunkedArray:
    """When each run ended, in µs since 1970."""
    lasted = pc.divide(pc.fill_null(runs["duration_ns"], 0), 1000)
    return pc.add(runs["start_time"].cast(TIME).cast(pa.int64()), lasted)


def _waited(con: duckdb.DuckDBPyConnection, skill: pa.ChunkedArray) -> pa.Array:
    """For how many µs each run's feedback is waited for, by its skill."""
    stated: dict[str, timedelta] = dict(con.execute(STATED).fetchall())
    skills = list(stated)
    usual = stated.get("*", HORIZON) // MICROSECOND
    waited = pa.array([stated[name] // MICROSECOND for name in skills], pa.int64())
    return pc.fill_null(waited.take(pc.index_in(skill, pa.array(skills, pa.string()))), usual)


def _heard(example: pa.ChunkedArray, votes: pa.Table) -> pa.ChunkedArray:
    """When the last vote that may decide was cast on each example, in µs since 1970; NULL: as its run ended."""
    cast = votes.filter(pc.and_(votes["decides"], pc.is_valid(votes["observed_at"])))
    last = cast.group_by("example_id").aggregate([("observed_at", "max")])
    return last["observed_at_max"].cast(pa.int64()).take(pc.index_in(example, last["example_id"].combine_chunks()))


def _where(which: pa.ChunkedArray, values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(which, values, pa.scalar(None, values.type))
