"""`flywheel receive`: the receiver alone, in the foreground."""

from collections.abc import Mapping

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from flywheel_assets.commands.envelope import USAGE, Answer, RefusedError, write_envelope
from flywheel_assets.commands.queues.registry import find_queues
from flywheel_assets.lake.places import Places
from flywheel_assets.receiver.desk.pages import PATH as DESK
from flywheel_assets.receiver.serve import Listening, PortTakenError, run
from flywheel_assets.receiver.settings import ReceiverSettings


def receive(places: Places, settings: Mapping[str, object], *, as_json: bool) -> Answer:
    """Acknowledge batches when they are on disk, and keep the desk, until SIGINT or SIGTERM."""
    try:
        wanted = ReceiverSettings.model_validate(settings)
    except ValidationError as error:
        raise RefusedError("; ".join(fault["msg"] for fault in error.errors()), code=USAGE) from error

    def ready(where: Listening) -> None:
        if as_json:
            told = {"http": where.http, "grpc": where.grpc, "desk": where.http + DESK}
            write_envelope("receive", True, told, None, ["send SIGINT to stop"])
        else:
            told = f"OTLP over HTTP  {where.http}\nOTLP over gRPC  {where.grpc}\ndesk            {where.http}{DESK}"
            Console(stderr=True).print(told, highlight=False)

    try:
        run(wanted, ready, find_queues(places))
    except PortTakenError as error:
        raise RefusedError(str(error)) from error
    return Answer({"stopped": True}, [Text("stopped")])
