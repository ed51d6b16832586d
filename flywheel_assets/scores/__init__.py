"""What the evidence says of each arm at each skill: day statistics, and scores merged from them.

Estimators live in `estimators/`, one per file, as pure functions of arrays. Whether a difference
justifies a change is not asked here: only `decisions/` tests, and only on randomised traffic.
"""
