"""Whether promotions in force still rest on evidence that counts: the view of that name, on the lake."""

from pathlib import Path
from typing import Any

import duckdb

_VIEW = (Path(__file__).parent / "views" / "promotion_support.sql").read_text(encoding="utf-8")


def support(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Rows of the view, by skill, from the four tables that it reads on `con`."""
    con.execute(_VIEW.replace("CREATE VIEW", "CREATE TEMP VIEW", 1).partition("COMMENT ON")[0])
    return con.sql("FROM promotion_support").to_arrow_table().to_pylist()
