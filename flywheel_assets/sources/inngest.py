"""Inngest, asked over its run API: how runs ended, their attempts, outputs, model calls, scores and experiments.

Runs are listed by the time they were queued, a page at a time, and each is told as a few spans
(`inngest_rows`). A run is asked for again until it has ended and a while is over in which scores still come;
it is written again only when it changed, or once an hour while it goes on.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import orjson

from flywheel_assets.sources.cursor import Page, SourceUnavailableError, State
from flywheel_assets.sources.inngest_metadata import scores_of
from flywheel_assets.sources.inngest_rows import Plain, ended_at, queued_at, spans_of
from flywheel_assets.sources.plain_spans import PlainSpan, mapping, request

RESOURCE: Mapping[str, object] = {}
SCOPE = {"name": "flywheel.inngest"}
BEGINNING = "1970-01-01T00:00:00Z"
# How much later than its time a run may become visible in the list.
LATE = timedelta(minutes=1)
# How long after its end a run may still get scores.
SETTLED = timedelta(minutes=30)

GONE, SILENT = "run gone before it was asked for", "score without a name or value"

LIST = """
query Runs($first: Int!, $after: String, $from: Time!) {
  runs(first: $first, after: $after, orderBy: [{field: QUEUED_AT, direction: ASC}],
       filter: {from: $from, timeField: QUEUED_AT}) {
    edges { node { id queuedAt } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
_SPAN = (
    "name status attempts queuedAt startedAt endedAt stepOp stepID spanID traceID isUserland "
    "stepInfo { __typename ... on InvokeStepInfo { runID } }"
)
RUN = f"""
query Run($runID: String!) {{
  run(runID: $runID) {{
    id status queuedAt startedAt endedAt eventName triggerIDs cronSchedule output
    function {{ slug name }} app {{ externalID }}
    trace {{ {_SPAN} childrenSpans {{ {_SPAN} childrenSpans {{ {_SPAN} childrenSpans {{ {_SPAN} }} }} }} }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Inngest:
    """`client` has the server's address as its base URL, and the signing key where one is asked for."""

    client: httpx.Client
    now: datetime
    page_rows: int = 100
    name: str = field(default="inngest", init=False)

    def poll(self, cursor: State) -> Iterator[Page]:
        """Runs that are still followed, then those queued since the newest one known."""
        known = _texts(cursor.get("known"))
        newest = str(cursor.get("queued_at") or BEGINNING)
        followed = [one for one, digest in known.items() if digest]
        for start in range(0, len(followed), self.page_rows):
            yield from self._pages(followed[start : start + self.page_rows], newest, known)
        since = newest if newest == BEGINNING else (_time(newest) - LATE).isoformat()
        after: str | None = None
        while True:
            listed = mapping(self._graph(LIST, {"first": self.page_rows, "after": after, "from": since}).get("runs"))
            nodes = [mapping(mapping(edge).get("node")) for edge in _items(listed.get("edges"))]
            newest = max([newest, *(str(node["queuedAt"]) for node in nodes)], key=_time)
            fresh = [str(node["id"]) for node in nodes if str(node["id"]) not in known]
            yield from self._pages(fresh, newest, known)
            page = mapping(listed.get("pageInfo"))
            if not page.get("hasNextPage") or page.get("endCursor") in (None, after):
                return
            after = str(page["endCursor"])

    def _pages(self, runs: list[str], newest: str, known: dict[str, str]) -> Iterator[Page]:
        """The runs' scores, then their spans with the cursor behind them. `known` is brought up to date."""
        spans: list[PlainSpan] = []
        scores: list[bytes] = []
        set_aside: dict[str, int] = {}
        before = {"queued_at": newest, "known": dict(known)}
        for one in runs:
            run, tree = self._run(one)
            told = spans_of(run, tree, self.now.replace(minute=0, second=0, microsecond=0)) if run else []
            if not told:
                set_aside[GONE] = set_aside.get(GONE, 0) + 1
                known[one] = ""
                continue
            said, silent = scores_of(one, tree, queued_at(run))
            digest = hashlib.sha256(request(told, RESOURCE, SCOPE) + b"\n".join(said)).hexdigest()[:16]
            if digest != known.get(one):
                spans += told
                scores += said
                set_aside[SILENT] = set_aside.get(SILENT, 0) + silent
            known[one] = digest
            end = ended_at(run)
            if end is not None and end + SETTLED < self.now:
                known[one] = ""
        self._forget(known, newest)
        behind = {"queued_at": newest, "known": dict(known)}
        if scores:
            yield Page(before, b"\n".join(scores), "feedback", rows=len(scores))
        if runs:
            set_aside = {reason: count for reason, count in set_aside.items() if count}
            yield Page(behind, request(spans, RESOURCE, SCOPE) if spans else b"", rows=len(runs), set_aside=set_aside)

    def _forget(self, known: dict[str, str], newest: str) -> None:
        """Settled runs are remembered for as long as the list may show them again."""
        oldest = (_time(newest) - LATE).timestamp() * 1000
        for one in [one for one, digest in known.items() if not digest and _ulid_ms(one) < oldest]:
            del known[one]

    def _run(self, run_id: str) -> tuple[Plain, Plain]:
        """The run with its trace from GraphQL, and the root span with outputs and metadata from REST."""
        run = mapping(self._graph(RUN, {"runID": run_id}).get("run"))
        answer = self._send("GET", f"/api/v2/runs/{run_id}/trace", params={"include_output": "true"})
        # Servers older than this address, and runs without a trace.
        tree = {} if answer.status_code == 404 else self._json(answer)
        return run, mapping(mapping(tree.get("data")).get("rootSpan"))

    def _graph(self, query: str, variables: Mapping[str, object]) -> Plain:
        found = self._json(self._send("POST", "/v0/gql", json={"query": query, "variables": variables}))
        if found.get("errors"):
            raise SourceUnavailableError(f"Inngest refused the question: {str(found['errors'])[:300]}")
        return mapping(found.get("data"))

    def _send(self, method: str, path: str, **what: object) -> httpx.Response:
        try:
            return self.client.request(method, path, **what)  # pyright: ignore[reportArgumentType]
        except httpx.HTTPError as error:
            raise SourceUnavailableError(
                f"Inngest at {self.client.base_url} cannot be asked ({error}): check INNGEST_API_URL"
            ) from error

    def _json(self, answer: httpx.Response) -> Plain:
        if not answer.is_success:
            raise SourceUnavailableError(f"Inngest answered {answer.status_code}: {answer.text[:200]}")
        try:
            return mapping(orjson.loads(answer.content))
        except orjson.JSONDecodeError as error:
            raise SourceUnavailableError(f"{answer.url} did not answer in JSON: is it an Inngest server?") from error


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _ulid_ms(run_id: str) -> int:
    """When the id was made, in ms: the first ten digits of a ULID, in Crockford's base 32."""
    value = 0
    for digit in run_id[:10].upper():
        value = value * 32 + max(0, "0123456789ABCDEFGHJKMNPQRSTVWXYZ".find(digit))
    return value


def _items(given: object) -> list[object]:
    return list(given) if isinstance(given, list) else []


def _texts(given: object) -> dict[str, str]:
    return {str(key): str(value) for key, value in given.items()} if isinstance(given, Mapping) else {}
