"""Whether two sets of rows are the same, told by fifteen hex digits."""

from collections.abc import Sequence

import pyarrow as pa

from flywheel_assets.lake.session import session

# Of a table without rows.
NO_ROWS = f"{0:015x}"


def fingerprint(rows: pa.Table) -> str:
    """Fifteen hex digits that depend on the rows, not on their order or on how they are stored.

    The sum of DuckDB's 64-bit row hashes: it tells changed content from unchanged, and is no
    defence against forgery (the decision ledger has SHA-256 for that).
    """
    return fingerprints([rows])[0]


def fingerprints(tables: Sequence[pa.Table]) -> list[str]:
    """The `fingerprint` of each of several tables with the same columns, by one query."""
    # Others compute beside it.
    con = session(threads=1)
    numbered = [rows.append_column("part of", pa.repeat(number, len(rows))) for number, rows in enumerate(tables)]
    con.register("rows", pa.concat_tables(numbered))
    columns = ", ".join(f'"{name}"' for name in tables[0].column_names)
    sql = f'SELECT "part of", (sum(hash({columns})::HUGEINT) + count(*)) % (1::HUGEINT << 60) FROM rows GROUP BY ALL'
    found = {number: int(total) for number, total in con.sql(sql).fetchall()}
    return [f"{found[number]:015x}" if number in found else NO_ROWS for number in range(len(tables))]
