"""Runs the `.sql` files beside this module."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

HERE = Path(__file__).parent


def prepare(
    con: duckdb.DuckDBPyConnection,
    name: str,
    tables: Mapping[str, pa.Table] | None = None,
    variables: Mapping[str, object] | None = None,
    fragments: Mapping[str, str] | None = None,
) -> duckdb.Statement:
    """Run all statements of `<name>.sql` but the last, which is returned: a query.

    They see `tables` by their names, and `variables` through `getvariable`. `fragments` are SQL expressions put
    in for `{name}`. For `con.sql` a query is planned twice, but its rows become Arrow's without a copy between.
    """
    for key, table in (tables or {}).items():
        con.register(key, table)
    for key, value in (variables or {}).items():
        con.execute(f"SET VARIABLE {key} = $value", {"value": value})
    sql = (HERE / f"{name}.sql").read_text()
    for key, fragment in (fragments or {}).items():
        sql = sql.replace(f"{{{key}}}", fragment)
    *before, last = con.extract_statements(sql)
    for statement in before:
        con.execute(statement)
    return last
