"""What people find on the receiver's desk: one queue per file, found by its name.

A file offers `queue(places) -> Queue`. It shows and takes what a `flywheel` command shows and takes, by
calling the same functions, so that both write the same append-only records.
"""
