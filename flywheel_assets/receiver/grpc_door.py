"""OTLP over gRPC. Bytes are taken as they come off the wire, so that what is spooled is what was sent."""

from collections.abc import Callable
from concurrent import futures
from functools import partial
from typing import NoReturn

import grpc

from flywheel_assets.receiver.answers import status_protobuf, success_protobuf
from flywheel_assets.receiver.door import Door, Fault, RefusedError, Taken
from flywheel_assets.sources.spool import SpoolRefusedError

TRACES = "opentelemetry.proto.collector.trace.v1.TraceService"
LOGS = "opentelemetry.proto.collector.logs.v1.LogsService"

_CODES: dict[Fault, grpc.StatusCode] = {
    "malformed": grpc.StatusCode.INVALID_ARGUMENT,
    "unauthenticated": grpc.StatusCode.UNAUTHENTICATED,
    "too large": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "unsupported": grpc.StatusCode.UNIMPLEMENTED,
    "overloaded": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "unavailable": grpc.StatusCode.UNAVAILABLE,
}
# First bytes of gzip and of zlib, with which no OTLP message starts.
_COMPRESSED = (b"\x1f", b"\x78")


def grpc_server(door: Door) -> grpc.Server:
    """The server with its two services; it has no port yet."""
    settings = door.settings
    server = grpc.server(
        # A thread waits for the disk on behalf of each request in hand.
        futures.ThreadPoolExecutor(min(settings.max_concurrent, 64), thread_name_prefix="grpc-door"),
        # gRPC answers beyond this with a code that exporters do not retry: senders are held back earlier.
        maximum_concurrent_rpcs=8 * settings.max_concurrent,
        options=[
            ("grpc.max_concurrent_streams", settings.max_concurrent),
            ("grpc.max_receive_message_length", settings.max_body_bytes),
            # gRPC limits the compressed size only: inflated here, where the other can be limited too.
            ("grpc.per_message_decompression", 0),
            ("grpc.so_reuseport", 0),
        ],
    )
    for service, take in ((TRACES, door.take_protobuf), (LOGS, partial(door.take_logs, form="protobuf"))):
        handler = grpc.unary_unary_rpc_method_handler(_Export(door, take))
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": handler}),))
    return server


class _Export:
    def __init__(self, door: Door, take: Callable[[bytes], Taken]) -> None:
        self._door = door
        self._take = take

    def __call__(self, message: bytes, context: grpc.ServicerContext) -> bytes:
        """Return the service's response once the batch is durable."""
        try:
            metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
            self._door.authenticate(metadata.get("authorization"))
            payload = self._door.inflate(message, "gzip" if message[:1] in _COMPRESSED else "")
            taken = self._take(payload)
            taken.stored.result()
        except RefusedError as error:
            _refuse(context, _CODES[error.fault], error.message, error.retry_after)
        except SpoolRefusedError as error:
            _refuse(context, grpc.StatusCode.UNAVAILABLE, str(error), error.retry_after)
        return success_protobuf(taken)


def _refuse(context: grpc.ServicerContext, code: grpc.StatusCode, message: str, retry_after: int | None) -> NoReturn:
    """End the call; exporters take RESOURCE_EXHAUSTED for final unless a delay comes with it."""
    if retry_after is not None:
        number = int(code.value[0])
        context.set_trailing_metadata((("grpc-status-details-bin", status_protobuf(number, message, retry_after)),))
    context.abort(code, message)
