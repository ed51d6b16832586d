"""All units, in order of precedence, and the SQL that applies them to spans."""

from collections.abc import Iterable, Mapping

from flywheel_assets.runs.units import gen_ai, inngest, openinference, restate, system_bus

# A span opens a run of the first unit that claims it. Inngest claims any invocation id that is not
# Restate's or of the bus, so it comes after them.
UNITS = (restate.UNIT, system_bus.UNIT, inngest.UNIT, openinference.UNIT, gen_ai.UNIT)
# Runtimes whose runs are known by their invocation's id.
DURABLE = tuple(unit.runtime for unit in (restate.UNIT, system_bus.UNIT, inngest.UNIT))
# What a bare model call is a run of.
BARE = gen_ai.UNIT.runtime


def runtime_sql() -> str:
    """The runtime whose run a span would open; NULL where it opens none."""
    return _cases(((unit.opens, f"'{unit.runtime}'") for unit in UNITS), "NULL")


def states_sql() -> str:
    """The run status that a span declares, given the `runtime` that claims it."""
    return _by_runtime({unit.runtime: unit.states for unit in UNITS}, "NULL")


def answered_sql() -> str:
    """Whether a span holds what its `runtime` said of the run when it was asked."""
    return _by_runtime({unit.runtime: unit.answered for unit in UNITS}, "false")


def begins_sql() -> str:
    """Whether a span shows that its run began on its day or the one before."""
    return _by_runtime({unit.runtime: unit.begins for unit in UNITS}, "true")


def silent_sql() -> str:
    """The status of a run that declares none, given its `runtime`, `root_status` and `failed_steps`."""
    return _by_runtime({unit.runtime: unit.silent for unit in UNITS}, "root_status")


def mirrors_sql() -> str:
    """Whether a span is a copy of another in the same run."""
    return _by_runtime({unit.runtime: unit.mirrors for unit in UNITS}, "false")


def attempt_sql() -> str:
    """Attempt number, from 1, of a span that carries it."""
    return _by_runtime({unit.runtime: unit.attempt for unit in UNITS}, "NULL")


def waited_sql() -> str:
    """How long an attempt says that it waited before it gave up, in ns."""
    return _by_runtime({unit.runtime: unit.waited for unit in UNITS}, "NULL")


def invoking_sql() -> str:
    """Whether a span may have started a run as part of its own."""
    return " OR ".join(f"({unit.invoking})" for unit in UNITS if unit.invoking)


def invokes_sql() -> str:
    """The id of the run that it started."""
    return _cases(((unit.invoking, unit.invokes) for unit in UNITS if unit.invoking), "NULL")


def _by_runtime(values: Mapping[str, str], otherwise: str) -> str:
    return _cases(
        ((f"runtime = '{runtime}'", value) for runtime, value in values.items() if value != otherwise), otherwise
    )


def _cases(cases: Iterable[tuple[str, str]], otherwise: str) -> str:
    whens = " ".join(f"WHEN {condition} THEN {value}" for condition, value in cases)
    return f"CASE {whens} ELSE {otherwise} END" if whens else otherwise
