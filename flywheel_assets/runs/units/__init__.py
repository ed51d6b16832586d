"""What counts as one run, one runtime a file. A file says which spans open a run and what they state of it.

Nothing here walks a trace: that is the same for every runtime and lives in `runs/place.py`.
"""
