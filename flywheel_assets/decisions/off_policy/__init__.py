"""Off-policy: what another policy would have been worth, from runs that this one chose, or why that cannot be told.

One estimator per file, as pure functions of arrays; `evaluate.py` refuses or puts them side by side.
Nothing is promoted by them: only a registered trial on concurrent traffic does that.
"""
