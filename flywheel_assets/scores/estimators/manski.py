"""What a mean could be if every outcome that nobody stated were 0, or 1.

Manski (1989), Anatomy of the selection problem, Journal of Human Resources 24:343–360: no assumption
about why outcomes are missing narrows these bounds honestly.
"""


def worst_and_best(mean: float, known: float, unknown: float) -> tuple[float, float]:
    """Bounds of the mean over `known` + `unknown` runs of which `known`, at least one, average `mean`."""
    share = known / (known + unknown)
    return mean * share, mean * share + (1 - share)
