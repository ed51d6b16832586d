"""Inverse propensity scoring: Σ w r / n. Horvitz and Thompson, JASA 47, 1952."""

from flywheel_assets.decisions.off_policy.logged import Logged, Value, mean_of


def ips(log: Logged) -> Value:
    """Unbiased where every probability is right; its spread grows with the weights."""
    return mean_of(log.weight * log.reward, log.scale, log.cluster)
