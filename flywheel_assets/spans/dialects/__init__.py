"""One module per convention: which attribute feeds which `raw_spans` column, what its operations mean.

A module holds a `DIALECT`; adding a file adds a dialect. Data only: how it is applied is in
`spans/promote.py`, which dialect wins is in `spans/registry.py`.
"""
