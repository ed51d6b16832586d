"""What people look at: the DuckDB file, momentum, the report page with its plots, the publication back.

Everything here only reads the wheel's tables; nothing it computes is evidence for a decision. How
Dagster shows the plots is in `defs/`.
"""
