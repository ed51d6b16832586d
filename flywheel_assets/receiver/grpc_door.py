"""OTLP over gRPC. Bytes are taken as they come off the wire, so that what is spooled is what was sent."""

from concurrent import futures

import grpc

from flywheel_assets.receiver.door import Door, Fault, RefusedError
from flywheel_assets.sources.spool import SpoolRefusedError

SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"

_CODES: dict[Fault, grpc.StatusCode] = {
    "malformed": grpc.StatusCode.INVALID_ARGUMENT,
    "unauthenticated": grpc.StatusCode.UNAUTHENTICATED,
    "too large": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "unsupported": grpc.StatusCode.UNIMPLEMENTED,
    "overloaded": grpc.StatusCode.UNAVAILABLE,
}
# First bytes of gzip and of zlib, with which no OTLP message starts.
_COMPRESSED = (b"\x1f", b"\x78")


def grpc_server(door: Door) -> grpc.Server:
    """The server with its one service; it has no port yet."""
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
    handler = grpc.unary_unary_rpc_method_handler(_Export(door))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Export": handler}),))
    return server


class _Export:
    def __init__(self, door: Door) -> None:
        self._door = door

    def __call__(self, message: bytes, context: grpc.ServicerContext) -> bytes:
        """Return an empty ExportTraceServiceResponse once the batch is durable."""
        try:
            metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
            self._door.authenticate(metadata.get("authorization"))
            payload = self._door.inflate(message, "gzip" if message[:1] in _COMPRESSED else "")
            self._door.take_protobuf(payload).result()
        except RefusedError as error:
            context.abort(_CODES[error.fault], error.message)
        except SpoolRefusedError as error:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        return b""
