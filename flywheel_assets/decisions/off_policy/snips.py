"""Self-normalised inverse propensity scoring: Σ w r / Σ w. Swaminathan and Joachims, NeurIPS 2015."""

from flywheel_assets.decisions.off_policy.logged import Logged, Value, mean_of


def snips(log: Logged) -> Value:
    """Always within the rewards' range; its error is that of a ratio, Σ w² (r − v)² over (Σ w)²."""
    return mean_of(log.reward, log.scale * log.weight, log.cluster)
