"""Decisions: what is registered, tried, promoted, held, abandoned and rolled back, and on what evidence.

Here belong the tests (e-processes), the error budget, the criteria, the rollout's states and the
ledger. Finding candidates does not (`candidates`), nor writing what agents load (`artifacts`).
Everything is pure: evidence, clock and manifest are arguments, and the same ones give the same bytes.
"""
