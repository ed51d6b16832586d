"""Guardrails: no declared metric got credibly worse by more than it may."""

from flywheel_assets.decisions.canonical import e_value, stated
from flywheel_assets.decisions.trial import Failed, Passed, Result, Trial, Undecided
from flywheel_assets.tables.documents.registration import Registration

# Chance that a harmless candidate is ever stopped, shared evenly by its guardrails.
HARM_ALPHA = 0.05
# What a person can do where no unit of a trial reports the metric.
REMEDIES = {"cost_usd": "state what calls cost in data/prices.yaml"}


def applies(registration: Registration) -> bool:
    """Where any guardrail was declared."""
    return bool(registration.guardrails)


def check(trial: Trial) -> Result:
    """Fails where the e-value against 'within its limit' reaches 1/α for any; unmeasured is undecided."""
    needed = len(trial.registration.guardrails) / HARM_ALPHA
    numbers: dict[str, float | int | str | None] = {"needed": stated(needed)}
    breached: list[str] = []
    unmeasured: list[str] = []
    for guardrail in trial.registration.guardrails:
        comparison, measured = trial.guarded(guardrail.metric, guardrail.ceiling)
        e = e_value(comparison.log_e(min(guardrail.max_increase / guardrail.ceiling, 1.0)))
        numbers |= {f"{guardrail.metric}_e_value": e, f"{guardrail.metric}_units": measured}
        if e >= needed:
            breached.append(guardrail.metric)
        elif not measured:
            remedy = REMEDIES.get(guardrail.metric)
            unmeasured.append(f"{guardrail.metric} ({remedy})" if remedy else guardrail.metric)
    if breached:
        return Failed(f"breached: {', '.join(breached)}", numbers)
    if unmeasured:
        return Undecided(f"not measured: {', '.join(unmeasured)}", numbers)
    return Passed("none breached", numbers)
