"""Agent runs come in as spans; decisions the system can defend go back to the agents.

`sources → spans → runs → examples → observations → scores → candidates → decisions → artifacts
→ snapshots`: each name is a folder here, a module in `defs/`, an asset group, and a test folder.
What passes between stages is a row type in `tables/`, kept as a Delta table by `lake/`.
"""
