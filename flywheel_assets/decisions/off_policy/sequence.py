"""A confidence sequence for the target's value: bets on the weighted rewards, from below and from above.

w r is at least 0 and has the value as its mean; w (1 − r) has 1 minus the value. Bounds on either from
below need no bound on the weights. Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro, ACM/IMS Journal
of Data Science 2024.
"""

from flywheel_assets.decisions.eprocess import non_negative
from flywheel_assets.decisions.off_policy.logged import Logged


def sequence(log: Logged, alpha: float) -> tuple[float, float]:
    """Both ends, each missed with probability at most α / 2 over all times together; for unsampled traces."""
    low = non_negative(log.weight * log.reward).lower(alpha / 2, 0.0)
    high = 1 - non_negative(log.weight * (1 - log.reward)).lower(alpha / 2, 0.0)
    return min(low, high), max(low, high)
