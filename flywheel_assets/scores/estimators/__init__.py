"""One estimator per file: a small vectorised function whose docstring names the formula's source.

Nothing here knows tables, days or skills.
"""
