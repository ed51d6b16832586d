"""Let every labeler vote on a day's runs, and fuse the votes into labels."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from flywheel_assets.examples.fuse import fuse
from flywheel_assets.examples.labelers.labeler import Labeler
from flywheel_assets.examples.labelers.registry import find_labelers
from flywheel_assets.tables.agent_runs import RUN_FACTS
from flywheel_assets.tables.label_votes import LABEL_VOTES
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES

HERE = Path(__file__).parent
# How long feedback on a run is waited for before its silence means something.
HORIZON = timedelta(hours=24)


def label(
    con: duckdb.DuckDBPyConnection, day: date, horizon: timedelta = HORIZON, labelers: Sequence[Labeler] | None = None
) -> tuple[pa.Table, pa.Table]:
    """`label_votes` and `labeled_examples` of the runs that start on `day`.

    Time is what the tables show of it: a run is immature while nothing visible on `con` is later than
    its end plus `horizon`.
    """
    con.execute(f"CREATE OR REPLACE TEMP VIEW runs AS SELECT * FROM agent_runs WHERE day = DATE '{day}'")
    con.execute("CREATE OR REPLACE TEMP VIEW nearby_runs AS SELECT * FROM agent_runs")
    con.execute((HERE / "work.sql").read_text(), {"day": day})
    votes = _votes(con, find_labelers() if labelers is None else labelers)
    fused = fuse(con, votes)
    con.register("ballots", votes)
    con.register("fused", fused)
    facts = ", ".join(f'r."{column.name}"' for column in RUN_FACTS)
    sql = (HERE / "label.sql").read_text().replace("{run_facts}", facts)
    examples = con.execute(sql, {"horizon": horizon}).to_arrow_table()
    kept = con.execute(
        """SELECT $day AS day, * EXCLUDE (decides) FROM ballots ORDER BY example_id, labeler, author_id, evidence""",
        {"day": day},
    ).to_arrow_table()
    return LABEL_VOTES.conform(kept), LABELED_EXAMPLES.conform(examples)


def _votes(con: duckdb.DuckDBPyConnection, labelers: Sequence[Labeler]) -> pa.Table:
    votes = [_ask(con, labeler) for labeler in labelers]
    return pa.concat_tables(votes)


def _ask(con: duckdb.DuckDBPyConnection, labeler: Labeler) -> pa.Table:
    """The labeler's votes, with what it left unsaid filled in."""
    given = {column[0] for column in con.execute(f"SELECT * FROM ({labeler.sql}) LIMIT 0").description or ()}
    parameters = {"name": labeler.name, "version": labeler.version}
    defaults = {"grain": "'run'", "example_id": "run_id", "tier": "$tier", "author_id": "$name", "decides": "true"}
    said = {name: name if name in given else default for name, default in defaults.items()}
    if "tier" not in given:
        parameters["tier"] = labeler.tier
    return con.execute(
        f"""
        SELECT {said["example_id"]} AS example_id, {said["grain"]} AS grain, run_id, $name AS labeler,
            $version AS labeler_version, {said["tier"]} AS tier, {said["author_id"]} AS author_id,
            CAST(value AS DOUBLE) AS value, CAST(confidence AS DOUBLE) AS confidence, evidence,
            coalesce({said["decides"]}, false) AND NOT {labeler.one_sided} AND confidence > 0.5 AS decides
        FROM ({labeler.sql})
        """,
        parameters,
    ).to_arrow_table()
