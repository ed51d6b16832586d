"""The little of an OTLP/JSON export request that has to be known before it is decoded."""

from collections.abc import Sequence

import msgspec

# Of nanoseconds since 1970, from 2001 to 2286.
_DIGITS = 19


class InvalidJsonError(Exception):
    """Why a JSON payload is no trace export request, and what to do."""


class JsonSpan(msgspec.Struct, gc=False, rename="camel"):
    """Ids in hex, and the start as OTLP/JSON writes 64-bit numbers: a string, or leniently a number."""

    trace_id: str | None = None
    span_id: str | None = None
    start_time_unix_nano: str | int | None = None


def starts(spans: Sequence[JsonSpan]) -> list[int]:
    """When each began, in nanoseconds since 1970; 0 where there is no usable start."""
    given = [span.start_time_unix_nano for span in spans]
    texts = [one for one in given if isinstance(one, str)]
    joined = "".join(texts)
    # Looking at one after the other took as long as the rest of landing.
    if len(texts) == len(given) and set(map(len, texts)) == {_DIGITS} and joined.isascii() and joined.isdigit():
        return list(map(int, texts))
    return [_start(one) for one in given]


def _start(given: str | int | None) -> int:
    if isinstance(given, str):
        # A longer number is out of range anyway, and Python refuses to read very long ones.
        return int(given[:40]) if given.isascii() and given.isdigit() else 0
    return given or 0


class _ScopeSpans(msgspec.Struct, gc=False):
    spans: list[JsonSpan] | None = None


class _ResourceSpans(msgspec.Struct, gc=False, rename="camel"):
    scope_spans: list[_ScopeSpans] | None = None


class _SetAside(msgspec.Struct, gc=False):
    where: str
    reason: str


class _Request(msgspec.Struct, gc=False, rename="camel"):
    resource_spans: list[_ResourceSpans] | msgspec.UnsetType | None = msgspec.UNSET
    # What a translation could not read: see foreign.py.
    flywheel_set_aside: _SetAside | None = None


_DECODER = msgspec.json.Decoder(_Request)


def parse_json_request(payload: bytes) -> list[JsonSpan]:
    """The request's spans in order. The whole document is validated, everything else skipped.

    Raises InvalidJsonError that says what to do.
    """
    try:
        request = _DECODER.decode(payload)
        if not payload.isascii():
            payload.decode()
    except UnicodeDecodeError as error:
        raise InvalidJsonError(f"not UTF-8 at byte {error.start}; OTLP/JSON is UTF-8") from error
    except msgspec.ValidationError as error:
        raise InvalidJsonError(f"not an OTLP/JSON trace export request: {error}") from error
    except msgspec.DecodeError as error:
        raise InvalidJsonError(f"not JSON: {error}") from error
    except RecursionError as error:
        raise InvalidJsonError("nested too deeply to be a trace export request") from error
    if request.flywheel_set_aside is not None:
        raise InvalidJsonError(f"{request.flywheel_set_aside.where}: {request.flywheel_set_aside.reason}")
    if request.resource_spans is msgspec.UNSET and payload.strip() != b"{}":
        raise InvalidJsonError("no resourceSpans: only traces are taken; send each export request whole, as OTLP/JSON")
    return [
        span
        for resource in request.resource_spans or ()
        for scope in resource.scope_spans or ()
        for span in scope.spans or ()
    ]
