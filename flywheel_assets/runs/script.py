"""Runs the `.sql` files beside this module."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

HERE = Path(__file__).parent


def run_script(
    con: duckdb.DuckDBPyConnection,
    name: str,
    parameters: Mapping[str, object] | None = None,
    fragments: Mapping[str, str] | None = None,
) -> duckdb.DuckDBPyConnection:
    """All statements of `<name>.sql`; the result is the last one's.

    Each statement gets the parameters that it names: DuckDB takes them for single statements only.
    `fragments` are SQL expressions put in for `{name}`.
    """
    sql = (HERE / f"{name}.sql").read_text()
    for key, fragment in (fragments or {}).items():
        sql = sql.replace(f"{{{key}}}", fragment)
    for statement in con.extract_statements(sql):
        given = {key: value for key, value in (parameters or {}).items() if key in statement.named_parameters}
        con.execute(statement, given or None)
    return con
