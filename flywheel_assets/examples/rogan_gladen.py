"""The share of good runs behind a judge that calls some good ones bad and some bad ones good.

Rogan and Gladen (1978), "Estimating prevalence from the results of a screening test"; the interval is
that of Lang and Reiczigel (2014), "Confidence limits for prevalence of disease adjusted for estimated
sensitivity and specificity", which keeps its word where samples are small.
"""

from dataclasses import dataclass
from statistics import NormalDist

Z = NormalDist().inv_cdf(0.975)
# A judge whose two rates add up to hardly more than chance says nothing of the share.
LEAST_INFORMATION = 0.1


@dataclass(frozen=True, slots=True)
class Answers:
    """Runs that the judge calls good, of all; and of those that people answered, by both verdicts."""

    positive: int
    judged: int
    both_positive: int
    judge_positive: int
    person_positive: int
    both_negative: int

    @property
    def good(self) -> int:
        """Answered runs that people call good."""
        return self.both_positive + self.person_positive

    @property
    def bad(self) -> int:
        """Answered runs that people call bad."""
        return self.both_negative + self.judge_positive

    @property
    def sensitivity(self) -> float | None:
        """None without good runs."""
        return self.both_positive / self.good if self.good else None

    @property
    def specificity(self) -> float | None:
        """None without bad runs."""
        return self.both_negative / self.bad if self.bad else None


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its 95 % interval."""

    rate: float
    lower: float
    upper: float


def rogan_gladen(answers: Answers) -> Share | str:
    """The corrected share, or why there is none."""
    sensitivity, specificity = answers.sensitivity, answers.specificity
    if sensitivity is None or specificity is None:
        return "no anchored run that people call " + ("good" if sensitivity is None else "bad")
    information = sensitivity + specificity - 1
    if information < LEAST_INFORMATION:
        return f"the judge tells good from bad hardly better than chance (Youden's J {information:.2f})"
    seen = answers.positive / answers.judged
    rate = (seen + specificity - 1) / information
    return Share(_within(rate), *_interval(answers))


def _interval(answers: Answers) -> tuple[float, float]:
    """Formulas 3 to 5 of Lang and Reiczigel."""
    judged = answers.judged + Z**2
    seen = (answers.positive + Z**2 / 2) / judged
    good, bad = answers.good + 2, answers.bad + 2
    sensitivity, specificity = (answers.both_positive + 1) / good, (answers.both_negative + 1) / bad
    information = max(sensitivity + specificity - 1, LEAST_INFORMATION / 2)
    rate = _within((seen + specificity - 1) / information)
    of_good = sensitivity * (1 - sensitivity) / good
    of_bad = specificity * (1 - specificity) / bad
    shift = 2 * Z**2 * (rate * of_good - (1 - rate) * of_bad)
    variance = seen * (1 - seen) / judged + rate**2 * of_good + (1 - rate) ** 2 * of_bad
    reach = Z * variance**0.5 / information
    return _within(rate + shift - reach), _within(rate + shift + reach)


def _within(value: float) -> float:
    return min(max(value, 0.0), 1.0)
