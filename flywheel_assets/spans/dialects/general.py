"""OpenTelemetry's general attributes: session, user, errors."""

from flywheel_assets.spans.dialect import Dialect

DIALECT = Dialect(
    name="general",
    columns={
        "session_id": ("session.id",),
        "user_id": ("user.id", "enduser.id"),
        "error_type": ("error.type", "exception.type"),
    },
)
