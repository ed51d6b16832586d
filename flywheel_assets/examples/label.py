"""Let every labeler vote on a day's runs, and fuse the votes into labels."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.examples.anchored import Earlier
from flywheel_assets.examples.credit import credit
from flywheel_assets.examples.failed import Failed
from flywheel_assets.examples.found import findings
from flywheel_assets.examples.fuse import fuse
from flywheel_assets.examples.labelers.labeler import Labeler
from flywheel_assets.examples.labelers.registry import find_labelers
from flywheel_assets.examples.noise import kept_weights
from flywheel_assets.examples.outcomes import outcomes
from flywheel_assets.examples.work import work
from flywheel_assets.tables.agent_runs import RUN_FACTS
from flywheel_assets.tables.anchored_opinions import ANCHORED_OPINIONS, EARLIER_ANCHORS
from flywheel_assets.tables.documents.anchors import DRAWN
from flywheel_assets.tables.label_votes import LABEL_VOTES
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.labeler_reliability import LABELER_RELIABILITY
from flywheel_assets.tables.table import TIME

HERE = Path(__file__).parent
# A vote, whether it may decide an outcome and is an anchor, when it was cast, if that was not as the run ended, and
# its author's version.
BALLOT = pa.schema(
    [
        *(field for field in LABEL_VOTES.schema if field.name != "day"),
        pa.field("decides", pa.bool_()),
        pa.field("anchor", pa.bool_()),
        pa.field("observed_at", TIME),
        pa.field("author_version", pa.string()),
    ]
)


def label(con: duckdb.DuckDBPyConnection, day: date, labelers: Sequence[Labeler] | None = None) -> tuple[pa.Table, ...]:
    """`anchored_opinions` and the other tables that `steps.LABEL` writes, of the day's runs.

    Runs are of the day on which they start. `label_settings` says which are in the sample that people are asked about.

    Time is what the tables show of it: a run is immature while nothing visible on `con` is later than
    its end plus its skill's horizon, as `label_settings` on `con` has it.
    """
    runs = _by(con.sql(f"SELECT * FROM agent_runs WHERE day = DATE '{day}'").to_arrow_table(), "run_id")
    _scanned(con, "runs", runs)
    con.execute("CREATE OR REPLACE TEMP VIEW nearby_runs AS SELECT * FROM agent_runs")
    con.execute(f"CREATE OR REPLACE TEMP VIEW sampled_runs AS SELECT run_id FROM runs WHERE {DRAWN}")
    spans = work(con, day, runs)
    _scanned(con, "day_spans", spans)
    con.execute("CREATE OR REPLACE TEMP VIEW work AS SELECT * EXCLUDE (run) FROM day_spans WHERE run IS NOT NULL")
    con.execute((HERE / "turns.sql").read_text())
    votes = _votes(con, find_labelers() if labelers is None else labelers)
    skills = runs["skill"].take(pc.index_in(votes["run_id"], runs["run_id"].combine_chunks()))
    votes = votes.append_column("skill", skills)
    fused, reliability, anchored = fuse(votes, Earlier.of(_earlier(con, day), votes))
    examples = outcomes(con, runs, votes, fused)
    con.register("ballots", votes)
    con.register("examples", examples)
    reliable = LABELER_RELIABILITY.conform(_dated(reliability, day))
    answered = ANCHORED_OPINIONS.conform(_dated(anchored, day))
    kept = _dated(votes, day).select(LABEL_VOTES.names)
    order = pc.sort_indices(kept, [(name, "ascending") for name in ("example_id", "labeler", "author_id", "evidence")])
    labeled = _labeled(examples, runs, kept_weights(con, examples))
    failed = Failed.of(spans, examples)
    blame, found = credit(failed, runs, examples, day), findings(con, failed, runs, day)
    return answered, LABEL_VOTES.conform(kept.take(order)), reliable, blame, found, labeled


def _scanned(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    """Make the rows a view. DuckDB sifts them as it scans: Arrow, were it handed filters, would copy what is left."""
    con.register(f"{name}_rows", rows)
    # No filter passes a LIMIT.
    con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM {name}_rows LIMIT {2**62}")


def _by(rows: pa.Table, name: str) -> pa.Table:
    """The rows in order of a column."""
    order = pc.sort_indices(rows[name]).to_numpy()
    return rows if (np.diff(order) == 1).all() else rows.take(pa.array(order))


def _labeled(examples: pa.Table, runs: pa.Table, suspects: pa.Table) -> pa.Table:
    """`labeled_examples`, suspect ones with less weight. Long texts pass through no join, which would copy them."""
    facts = runs.select([column.name for column in RUN_FACTS])
    if len(examples) > len(runs):
        facts = facts.take(examples["run"])
    kept = suspects["kept"].take(pc.index_in(examples["example_id"], suspects["example_id"].combine_chunks()))
    weight = pc.multiply(examples["weight"], pc.fill_null(kept, 1.0))
    columns = {name: examples[name] for name in examples.column_names if name != "run"} | {"weight": weight}
    columns |= {name: facts[name] for name in facts.column_names}
    return LABELED_EXAMPLES.conform(pa.table(columns))


def _earlier(con: duckdb.DuckDBPyConnection, day: date) -> pa.Table:
    """What people answered on the days before, as far as it counts."""
    if not con.execute("SELECT 1 FROM anchored_opinions LIMIT 1").fetchall():
        return ANCHORED_OPINIONS.empty()
    con.register("asked", pa.table({"day": pa.array([day], pa.date32())}))
    return con.execute(f"SELECT said.* FROM ({EARLIER_ANCHORS}) ORDER BY ALL").to_arrow_table()


def _dated(rows: pa.Table, day: date) -> pa.Table:
    return rows.append_column("day", pa.repeat(pa.scalar(day, pa.date32()), len(rows)))


def _votes(con: duckdb.DuckDBPyConnection, labelers: Sequence[Labeler]) -> pa.Table:
    asked = ", ".join(f"EXISTS ({labeler.concerned})" for labeler in labelers)
    concerned = con.execute(f"SELECT {asked}").fetchall()[0] if labelers else ()
    votes = [_ask(con, labeler) for labeler, has in zip(labelers, concerned, strict=True) if has]
    return pa.concat_tables([BALLOT.empty_table(), *votes])


def _ask(con: duckdb.DuckDBPyConnection, labeler: Labeler) -> pa.Table:
    """The labeler's votes, with what it left unsaid filled in."""
    said = con.execute(
        f"""
        SELECT * REPLACE (CAST(value AS DOUBLE) AS value, CAST(confidence AS DOUBLE) AS confidence)
        FROM ({labeler.sql})
        """
    ).to_arrow_table()
    own = {"labeler": labeler.name, "labeler_version": labeler.version}
    defaults = {"grain": "run", "tier": labeler.tier, "author_id": labeler.name, "decides": True}
    defaults |= {"observed_at": None, "anchor": False, "author_version": None}
    columns = {name: pa.repeat(value, len(said)) for name, value in (defaults | own).items()}
    columns |= {"example_id": said.column("run_id"), **{name: said.column(name) for name in said.column_names}}
    sure = pc.fill_null(pc.greater(columns["confidence"], 0.5), fill_value=False)
    columns["decides"] = pc.and_(
        pc.and_(pc.fill_null(columns["decides"], fill_value=False), sure), not labeler.one_sided
    )
    return pa.table({field.name: columns[field.name].cast(field.type) for field in BALLOT})
