"""What the `flywheel` commands do: one module per command, and the envelope they all answer in.

The signatures and help texts are in `cli.py`. A command here returns values and prints nothing;
whatever needs Dagster is in `defs/` and imported when it is called.
"""
