"""What the doors answer: success, success in part, and refusals with a delay, as OTLP spells them."""

import json

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from flywheel_assets.receiver.door import Taken

RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


def success_protobuf(taken: Taken) -> bytes:
    """An export response of traces, which is that of logs on the wire too."""
    if not taken.rejected:
        return b""
    partial = ExportTracePartialSuccess(rejected_spans=taken.rejected, error_message=taken.reason)
    return ExportTraceServiceResponse(partial_success=partial).SerializeToString()


def success_json(taken: Taken) -> bytes:
    """The same in JSON."""
    if not taken.rejected:
        return b"{}"
    told = {f"rejected{taken.counted}": str(taken.rejected), "errorMessage": taken.reason}
    return json.dumps({"partialSuccess": told}).encode()


def status_protobuf(code: int, message: str, retry_after: int | None = None) -> bytes:
    """A google.rpc.Status, with a RetryInfo where trying again can help."""
    # Wire-compatible with the Status: an integer in field 1, a string in field 2.
    status = ExportTracePartialSuccess(rejected_spans=code, error_message=message).SerializeToString()
    if retry_after is None:
        return status
    delay = Duration(seconds=retry_after).SerializeToString()
    detail = Any(type_url=RETRY_INFO, value=b"\x0a" + bytes([len(delay)]) + delay).SerializeToString()
    return status + b"\x1a" + bytes([len(detail)]) + detail
