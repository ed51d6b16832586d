"""One event of a system bus, whichever store or door it came through.

Three shapes hold the same event: the search collection's document and the warehouse's row (metadata as
JSON text, flags as numbers, no error as ''), the body that emitters post (metadata as an object), and
the outbox file around such a body (`{"event": …, "queuedAt": …}`).
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import orjson

# What an emitter writes when nothing better is known.
GENERIC_ERROR = "operation_failed"
NO_SESSION = frozenset({"", "unknown"})


@dataclass(frozen=True, slots=True)
class Event:
    """An event with its blanks taken out: what is None was not said.

    `start_ns` to `end_ns` is the time it speaks of; both are 0 where it has no time.
    """

    id: str
    action: str
    component: str
    source: str
    level: str
    system: str | None
    session: str | None
    success: bool | None
    error: str | None
    start_ns: int
    end_ns: int
    metadata: Mapping[str, object]

    def text(self, *names: str) -> str | None:
        """The first of these metadata fields that holds a text or a whole number, as text."""
        for name in names:
            value = self.metadata.get(name)
            if isinstance(value, str) and value:
                return value
            if isinstance(value, int) and not isinstance(value, bool):
                return str(value)
        return None

    def number(self, *names: str) -> float | None:
        """The first of these metadata fields that holds a number."""
        for name in names:
            value = self.metadata.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                return value
        return None

    @property
    def signature(self) -> str:
        """What a replay repeats: everything but the id and when it was."""
        lasted = self.end_ns - self.start_ns
        said = [self.source, self.system, self.component, self.action, self.level, self.success, self.error, lasted]
        return digest("content", orjson.dumps([said, self.metadata], default=str, option=orjson.OPT_SORT_KEYS))


def digest(*parts: str | bytes) -> str:
    """Hex digest of the parts; 32 digits serve as a trace id, the first 16 as a span id."""
    joined = b"\0".join(part.encode(errors="replace") if isinstance(part, str) else part for part in parts)
    return hashlib.blake2b(joined, digest_size=16).hexdigest()


def is_event(document: object) -> bool:
    """Whether a JSON value has the shape of an event, or of an outbox file around one."""
    if not isinstance(document, dict):
        return False
    inside = _opened(cast("dict[str, object]", document))
    return all(isinstance(value := inside.get(name), str) and value for name in ("action", "component", "source"))


def read_event(document: Mapping[str, object]) -> Event:
    """The event in any of its shapes; what cannot be read of it is left out, nothing is made up but the id."""
    inside = _opened(document)
    metadata = _metadata(inside)
    action = _text(inside, "action") or "unnamed event"
    source = _text(inside, "source") or "unknown"
    session = _text(inside, "sessionId")
    end = _nanoseconds(inside.get("timestamp"))
    lasted = _milliseconds(inside.get("duration_ms"))
    if lasted is None:
        lasted = _milliseconds(metadata.get("durationMs")) or 0
    return Event(
        id=_text(inside, "id") or digest("no id", orjson.dumps(inside, default=str, option=orjson.OPT_SORT_KEYS)),
        action=action,
        component=_text(inside, "component") or "unknown",
        source=source,
        level=(_text(inside, "level") or "info").lower(),
        system=_said(_text(inside, "systemId"), NO_SESSION),
        # A role's name in place of a session's would make one session of all that the role ever did.
        session=_said(session, NO_SESSION | {source}),
        success=bool(inside["success"]) if isinstance(inside.get("success"), int) else None,
        error=_said(_text(inside, "error"), {"", GENERIC_ERROR}),
        start_ns=max(end - round(lasted * 1_000_000), 1) if end else 0,
        end_ns=end,
        metadata=metadata,
    )


def _opened(document: Mapping[str, object]) -> Mapping[str, object]:
    inside = document.get("event")
    return cast("dict[str, object]", inside) if isinstance(inside, dict) and "queuedAt" in document else document


def _metadata(inside: Mapping[str, object]) -> dict[str, object]:
    given = inside.get("metadata")
    if given is None and isinstance(text := inside.get("metadata_json"), str) and text:
        try:
            given = orjson.loads(text)
        except orjson.JSONDecodeError:
            return {"unreadable": text}
    return cast("dict[str, object]", given) if isinstance(given, dict) else {}


def _text(inside: Mapping[str, object], name: str) -> str | None:
    value = inside.get(name)
    return value if isinstance(value, str) and value else None


def _said(value: str | None, nothing: frozenset[str] | set[str]) -> str | None:
    return None if value is None or value in nothing else value


def _milliseconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return min(max(value, 0), 366 * 86_400_000)


def _nanoseconds(value: object) -> int:
    """Epoch milliseconds, an ISO time or a datetime; 0 for what is none of them. A time without a zone is UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return 0
    if isinstance(value, datetime):
        value = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp() * 1000
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0
    return max(round(value * 1000) * 1000, 0) if value < 2**53 else 0
