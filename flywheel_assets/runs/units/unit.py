"""`Unit`: what one runtime calls a run, as SQL over the columns of `raw_spans`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """The outermost span that `opens` is the run's root; what hangs below it is part of the run.

    `states` is the run status ('ok', 'error', 'cancelled', 'open') that a span declares for its whole run,
    NULL where it declares nothing; an end counts before 'open', what the runtime `answered` when it was
    asked before what it sent, then the last. `silent` is the status of a run that declares nothing. A run
    without a span which `begins` it, on its day or the one before, woke after a silence: its row is with the
    day on which it began. `mirrors` tells copies of spans that the run also holds in the original, so that
    nothing is counted twice. `invokes` is the id of the run that a span started as part of its own, on spans
    that are `invoking`: those alone are looked into. `waited` is how long an attempt says that it waited, in
    ns: see `idle.sql`.
    """

    runtime: str
    opens: str
    states: str
    silent: str
    answered: str = "false"
    begins: str = "true"
    mirrors: str = "false"
    attempt: str = "NULL"
    waited: str = "NULL"
    invoking: str = ""
    invokes: str = ""
