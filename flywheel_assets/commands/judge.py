"""`flywheel judge`: have a model judge a random sample of recent runs.

It speaks as any author does: its words are posted feedback of the tier `judge`, and the next turn takes
them in. They are also its memory: what this version of it has judged is not asked again, whichever run
it comes in, and what was asked today counts against today's budget. Credentials and personal data are
taken out of what it is shown.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import orjson
from rich.text import Text

from flywheel_assets.commands.envelope import Answer, RefusedError
from flywheel_assets.commands.judge_model import asking
from flywheel_assets.examples.judge import (
    JUDGED,
    Ask,
    Opinion,
    UnavailableError,
    content_hash,
    judge_version,
    messages,
    opinion,
)
from flywheel_assets.examples.questions import without
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.observations.personal import find_personal
from flywheel_assets.observations.secret_patterns import find_secrets
from flywheel_assets.sources.spool import Spool
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.documents.anchors import ANCHOR
from flywheel_assets.tables.documents.feedback import PostedFeedback
from flywheel_assets.tables.feedback import FEEDBACK

UNAVAILABLE = "error: unavailable"
# After so many times in a row without an answer, the judge is left alone.
PATIENCE = 3
_RECENT = """
SELECT run_id, day, input_text, output_text FROM agent_runs
WHERE day BETWEEN $since AND $until AND status IN ('ok', 'error') AND input_text IS NOT NULL AND output_text IS NOT NULL
ORDER BY run_id IN (SELECT target_id FROM feedback WHERE name = $anchor AND tier = 'human') DESC,
    hash(run_id || $version)
"""
_SAID = """
SELECT target_id, value, value_text, comment, observed_at FROM feedback
WHERE name = $name AND author_id = $model AND author_version = $version
"""


# Run, day, request, answer.
_Run = tuple[str, date, str, str]


@dataclass(frozen=True, slots=True)
class Bounds:
    """At most so many runs now and calls a UTC day, of runs of the last `days` days."""

    most: int = 20
    budget: int = 100
    days: int = 7


@dataclass(frozen=True, slots=True)
class Judge:
    """Who is asked, and within which bounds."""

    model: str
    version: str
    ask: Ask
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class _Known:
    """What this judge has said: of which runs, of which contents, and how often it was asked today."""

    runs: set[str]
    contents: dict[str, Opinion]
    asked: int


def judged_by(places: Places, model: str, base: str | None, timeout: float, bounds: Bounds) -> Answer:
    """Have `model` judge now; without one, nobody does."""
    if not model:
        raise RefusedError("no judge is configured", ["export FLYWHEEL_JUDGE_MODEL=…, as LiteLLM names it"])
    by = Judge(model, judge_version(model), asking(model, base, timeout), bounds)
    return judge(places, by, datetime.now(UTC))


def judge(places: Places, by: Judge, now: datetime) -> Answer:
    """Judge recent runs in random order, but first those that people answered too, which can correct it.

    The answer counts opinions, and what came instead of one.
    """
    known, counts, posted = _known(places, by, now), Counter[str](), 0
    runs = [run for run in _recent(places, by, now) if run[0] not in known.runs]
    spool = Spool(places.inbox)
    try:
        for word in _words(by, known, runs[: by.bounds.most], now, counts):
            spool.append(word.model_dump_json().encode(), "feedback", "judge")
            posted += 1
    finally:
        spool.close()
    left = max(0, by.bounds.budget - known.asked - counts["asked"])
    told = dict(counts) | {"posted": posted, "budget_left": left, "model": by.model, "version": by.version}
    shown = [
        Text(f"{by.model} ({by.version}): " + (", ".join(f"{n} {what}" for what, n in counts.items()) or "nothing"))
    ]
    return Answer(told, shown, ["flywheel run"] if posted else [], ok=not counts[UNAVAILABLE])


def _words(
    by: Judge, known: _Known, runs: Sequence[_Run], now: datetime, counts: Counter[str]
) -> Iterator[PostedFeedback]:
    contents, missed = dict(known.contents), 0
    for run_id, day, *texts in runs:
        # It goes to somebody else's machine.
        request, answer = (without(text, (find_secrets, find_personal)) for text in texts)
        content = content_hash(request, answer)
        said = contents.get(content)
        if said is None:
            if known.asked + counts["asked"] >= by.bounds.budget or missed >= PATIENCE:
                counts["left for later"] += 1
                continue
            counts["asked"] += 1
            try:
                said = contents[content] = opinion(by.ask(messages(request, answer)))
                missed = 0
            except UnavailableError as error:
                counts[UNAVAILABLE] += 1
                missed += 1
                yield _posted(by, run_id, day, None, f"{UNAVAILABLE}; {content}", str(error), now)
                continue
        else:
            counts["known"] += 1
        counts[said.label] += 1
        yield _posted(by, run_id, day, said.value, f"{said.label}; {content}", said.reason, now)


def _posted(  # noqa: PLR0913, PLR0917 - one for each field that differs
    by: Judge, run_id: str, day: date, value: float | None, text: str, comment: str | None, now: datetime
) -> PostedFeedback:
    return PostedFeedback(
        target_kind="run",
        target_id=run_id,
        name=JUDGED,
        value=value,
        value_text=text,
        comment=comment,
        tier="judge",
        author_id=by.model,
        author_version=by.version,
        observed_at=now,
        day=day,
    )


def _recent(places: Places, by: Judge, now: datetime) -> Sequence[_Run]:
    until = now.astimezone(UTC).date()
    since = until - timedelta(days=by.bounds.days)
    asked = {"since": since, "until": until, "version": by.version, "anchor": ANCHOR}
    return Lake(places.lake).connect([AGENT_RUNS, FEEDBACK]).execute(_RECENT, asked).fetchall()


def _known(places: Places, by: Judge, now: datetime) -> _Known:
    known = _Known(set(), {}, 0)
    asked = 0
    seen: set[tuple[str, datetime]] = set()
    for target, value, text, comment, observed_at in _said(places, by):
        label, _, content = text.partition("; ")
        if (target, observed_at) in seen:
            continue
        seen.add((target, observed_at))
        if label == UNAVAILABLE:
            asked += observed_at.astimezone(UTC).date() == now.astimezone(UTC).date()
            continue
        known.runs.add(target)
        if content not in known.contents:
            asked += observed_at.astimezone(UTC).date() == now.astimezone(UTC).date()
        known.contents[content] = Opinion(value, label, comment)
    return _Known(known.runs, known.contents, asked)


def _said(places: Places, by: Judge) -> Iterator[tuple[str, float | None, str, str | None, datetime]]:
    """From the table, and from what waits in the inbox still."""
    named = {"name": JUDGED, "model": by.model, "version": by.version}
    yield from Lake(places.lake).connect([FEEDBACK]).execute(_SAID, named).fetchall()
    for path in sorted(places.inbox.glob("judge-*.feedback.jsonl")):
        for line in path.read_bytes().splitlines():
            one = PostedFeedback.model_validate(orjson.loads(line))
            if (one.name, one.author_id, one.author_version) == tuple(named.values()):
                yield one.target_id, one.value, one.value_text or "", one.comment, one.observed_at
