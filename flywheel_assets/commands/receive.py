"""`flywheel receive`: the receiver alone, in the foreground."""

from collections.abc import Mapping

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from flywheel_assets.commands.envelope import USAGE, Answer, RefusedError, write_envelope
from flywheel_assets.receiver.serve import Listening, PortTakenError, run
from flywheel_assets.receiver.settings import ReceiverSettings


def receive(settings: Mapping[str, object], *, as_json: bool) -> Answer:
    """Acknowledge batches when they are on disk, until SIGINT or SIGTERM."""
    try:
        wanted = ReceiverSettings.model_validate(settings)
    except ValidationError as error:
        raise RefusedError("; ".join(fault["msg"] for fault in error.errors()), code=USAGE) from error

    def ready(where: Listening) -> None:
        if as_json:
            write_envelope("receive", True, {"http": where.http, "grpc": where.grpc}, None, ["send SIGINT to stop"])
        else:
            Console(stderr=True).print(f"OTLP over HTTP  {where.http}\nOTLP over gRPC  {where.grpc}", highlight=False)

    try:
        run(wanted, ready)
    except PortTakenError as error:
        raise RefusedError(str(error)) from error
    return Answer({"stopped": True}, [Text("stopped")])
