"""OpenTelemetry's general attributes: session, user, errors."""

from flywheel_assets.spans.dialect import Dialect

DIALECT = Dialect(
    name="general",
    columns={
        "session_id": ("session.id",),
        "user_id": ("user.id", "enduser.id"),
        # A level says no more than that there was an error, so it comes after all that name it.
        "error_type": ("error.type", "exception.type", "langfuse.observation.level"),
    },
    only={"langfuse.observation.level": ("ERROR",)},
)
