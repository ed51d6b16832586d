"""The sources that are asked rather than listened to: which are configured, asking them, and how that went.

A source is configured by its address in the environment. One that does not answer stops nobody: its fault is
written beside its cursor, where checks and `flywheel poll` find it.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from flywheel_assets.sources.clickhouse import ClickHouse
from flywheel_assets.sources.cursor import Polled, Poller, SourceUnavailableError, collect, save_cursor
from flywheel_assets.sources.spool import SpoolRefusedError

# What asks a source is loaded where one is configured: HTTP clients take longer to load than a small turn its steps.
if TYPE_CHECKING:
    import httpx

Environment = Mapping[str, str]
Opened = AbstractContextManager[Poller]
TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Source:
    """A source that is polled: the variables that configure it, and how it is opened by them."""

    needs: tuple[str, ...]
    opened: Callable[[Environment, datetime], Opened]

    def missing(self, environment: Environment) -> list[str]:
        """Variables without which it is not configured."""
        return [name for name in self.needs if not environment.get(name)]


@dataclass(frozen=True, slots=True)
class Asked:
    """How one poll went; `fault` says why it ended early, and what came in before then stays."""

    source: str
    at: str
    polled: Polled
    fault: str | None = None


def asking(names: Sequence[str], environment: Environment, places: tuple[Path, Path], at: datetime) -> list[Asked]:
    """Poll the named sources, one after the other, into (inbox, cursors)."""
    inbox, cursors = places
    done: list[Asked] = []
    for name in names:
        fault, polled = None, Polled()
        try:
            with POLLED[name].opened(environment, at) as poller:
                polled = collect(poller, inbox, cursors)
        except (SourceUnavailableError, SpoolRefusedError, ValueError, TypeError) as error:
            fault = str(error)
        done.append(Asked(name, at.isoformat(), polled, fault))
        save_cursor(cursors, f"{name}.asked", asdict(done[-1]))
    return done


def configured(environment: Environment) -> list[str]:
    """Sources that have all that they need."""
    return [name for name, source in POLLED.items() if not source.missing(environment)]


def last_asked(cursors: Path, name: str) -> Asked | None:
    """How the last poll went; None where there was none."""
    path = cursors / f"{name}.asked.json"
    if not path.exists():
        return None
    found = orjson.loads(path.read_bytes())
    return Asked(found["source"], found["at"], Polled(**found["polled"]), found["fault"])


@contextmanager
def _restate(environment: Environment, _at: datetime) -> Generator[Poller]:
    from flywheel_assets.sources.restate import Restate

    with _client(environment["RESTATE_ADMIN_URL"], environment.get("RESTATE_AUTH_TOKEN")) as client:
        yield Restate(client)


@contextmanager
def _inngest(environment: Environment, at: datetime) -> Generator[Poller]:
    from flywheel_assets.sources.inngest import Inngest

    with _client(environment["INNGEST_API_URL"], environment.get("INNGEST_SIGNING_KEY")) as client:
        yield Inngest(client, at.astimezone(UTC))


@contextmanager
def _clickhouse(environment: Environment, _at: datetime) -> Generator[Poller]:
    yield ClickHouse(
        environment["CLICKHOUSE_URL"],
        environment.get("CLICKHOUSE_USER", "default"),
        environment.get("CLICKHOUSE_PASSWORD", ""),
        environment.get("CLICKHOUSE_DATABASE", "default"),
        environment.get("CLICKHOUSE_TABLE", "otel_events"),
    )


@contextmanager
def _typesense(environment: Environment, at: datetime) -> Generator[Poller]:
    from flywheel_assets.sources.typesense import Typesense

    # Publishing needs the address too, and does not mean that events are kept there.
    yield Typesense(
        environment["TYPESENSE_URL"],
        environment.get("TYPESENSE_API_KEY", ""),
        environment["TYPESENSE_EVENTS"],
        now=lambda: at,
    )


def _client(url: str, token: str | None) -> "httpx.Client":
    import httpx

    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT)


POLLED: Mapping[str, Source] = {
    "restate": Source(("RESTATE_ADMIN_URL",), _restate),
    "inngest": Source(("INNGEST_API_URL",), _inngest),
    "typesense": Source(("TYPESENSE_URL", "TYPESENSE_EVENTS"), _typesense),
    "clickhouse": Source(("CLICKHOUSE_URL",), _clickhouse),
}
