"""How the simulated fleet speaks: the real OpenTelemetry SDK over OTLP/HTTP, with every span counted."""

from collections.abc import Sequence
from random import Random

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Tracer

SERVICE = "simulated-fleet"
# More than a wave has spans: the processor drops what does not fit.
QUEUE = 1 << 18


class Ids(IdGenerator):
    """Trace and span ids from a seed, so that a wave can be repeated."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # noqa: S311 - a simulation

    def generate_span_id(self) -> int:
        """Any but the invalid id 0."""
        return self._random.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        """Any but the invalid id 0."""
        return self._random.getrandbits(128) or 1


class _Counted(SpanProcessor):
    """Counts what ends."""

    def __init__(self) -> None:
        self.ended = 0

    def on_end(self, span: ReadableSpan) -> None:  # noqa: ARG002 - the processor's interface
        """One more span."""
        self.ended += 1


class _Acknowledged(OTLPSpanExporter):
    """Counts what the receiver took."""

    acknowledged = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch; its spans count when it is acknowledged."""
        result = super().export(spans)
        if result is SpanExportResult.SUCCESS:
            self.acknowledged += len(spans)
        return result


class Telemetry:
    """A tracer whose spans go to `<endpoint>/v1/traces`."""

    def __init__(self, endpoint: str, seed: str, token: str | None = None, service: str = SERVICE) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._exporter = _Acknowledged(endpoint=f"{endpoint.rstrip('/')}/v1/traces", headers=headers)
        self._counted = _Counted()
        resource = Resource({"service.name": service, "flywheel.simulation": True})
        self._provider = TracerProvider(resource=resource, id_generator=Ids(seed), shutdown_on_exit=False)
        self._provider.add_span_processor(self._counted)
        self._provider.add_span_processor(
            BatchSpanProcessor(self._exporter, max_queue_size=QUEUE, max_export_batch_size=2000)
        )

    @property
    def tracer(self) -> Tracer:
        """What the agents make their spans with."""
        return self._provider.get_tracer("flywheel.simulation")

    def flush(self) -> int:
        """Spans acknowledged so far. Raises ConnectionError where that is not all of them."""
        self._provider.force_flush(60_000)
        ended, acknowledged = self._counted.ended, self._exporter.acknowledged
        if ended != acknowledged:
            raise ConnectionError(f"the receiver acknowledged {acknowledged} of {ended} spans")
        return acknowledged

    def close(self) -> None:
        """End the exporting thread."""
        self._provider.shutdown()
