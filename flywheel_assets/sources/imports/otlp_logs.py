"""OTLP/JSON logs, as the Collector's file exporter writes them: their evaluation results."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from flywheel_assets.sources.foreign import Foreign, Piece, Record, Refused
from flywheel_assets.sources.log_events import evaluations, is_logs


def _recognises(values: Sequence[object]) -> bool:
    return any(map(is_logs, values))


def _read(records: Iterable[Record], _content: bool) -> Iterator[Piece]:
    for record in records:
        if record.fault is not None or not is_logs(record.value):
            yield Refused(record.where, record.fault or "no resourceLogs", record.value)
            continue
        found = evaluations(msgspec.json.encode(record.value), "json")
        if found.request:
            yield found.request
        if found.others:
            yield Refused(record.where, f"{found.others} log records are no evaluation results, which alone are taken")


FORM = Foreign("otlp_logs", _recognises, _read)
