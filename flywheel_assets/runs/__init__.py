"""Spans → runs: one row per run, whatever happened to it on the way, and which spans make it up.

Here: what counts as one run in each runtime (`units/`), how spans find their run, and the sums over
a run. Not here: reading a convention's attributes (`spans/`), or saying whether a run went well
(`examples/`).
"""
