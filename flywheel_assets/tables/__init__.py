"""The vocabulary: one module per row type, holding its columns, types, units, meanings and key.

Arrow schemas, DuckDB comments, Dagster column schemas and the data dictionary are all generated
from these objects. Nothing here reads or writes; `lake/` does, and imports this.
"""
