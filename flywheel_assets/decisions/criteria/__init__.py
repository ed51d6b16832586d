"""Criteria: what a candidate must show before it is promoted, one rule per file.

A criterion looks at one trial and says Passed, Failed or Undecided, with its numbers. It decides
nothing alone: a promotion is their conjunction (`judge.py`). New ones are listed in `registry.py`.
"""
