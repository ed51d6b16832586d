"""All Dagster wiring: one module per stage, and beside them what they share.

An asset body reads, makes one pure call, writes and reports. What is computed lives in the stage
packages, what depends on what in `tables/steps.py`; nothing here decides anything about data.
"""
