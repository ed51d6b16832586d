"""What the receiver can be told."""

import ipaddress
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class ReceiverSettings(BaseModel):
    """Where the receiver listens, what it takes, and where it puts it. Port 0 lets the system choose."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inbox: Path
    host: str = Field(default="127.0.0.1", min_length=1, description="Address for both doors")
    http_port: int = Field(default=4318, ge=0, le=65535)
    grpc_port: int = Field(default=4317, ge=0, le=65535)
    token: SecretStr | None = Field(default=None, description="Bearer token that senders must show")
    emit_token: SecretStr | None = Field(default=None, description="What system-bus workers must show; else as token")
    source: str = Field(default="otlp", pattern="^[a-z0-9_]+$", description="What landed_batches.source will say")
    max_body_bytes: int = Field(
        default=64 * 1024 * 1024,
        gt=0,
        le=256 * 1024 * 1024,
        description="Largest batch, before and after decompression",
    )
    max_concurrent: int = Field(default=128, gt=0, description="Requests in hand at once, for each door")
    backlog_bytes: int = Field(default=256 * 1024 * 1024, gt=0, description="Bytes that may wait for the disk")
    segment_bytes: int = Field(default=64 * 1024 * 1024, gt=0, description="Size at which a segment is finished")
    segment_seconds: float = Field(default=60.0, gt=0, description="Age at which a segment is finished")
    shutdown_seconds: float = Field(default=10.0, gt=0, description="How long requests in hand may take to finish")

    @property
    def events(self) -> Path:
        """Where events of a system bus wait to be converted: beside the inbox, because they are not OTLP yet."""
        return self.inbox.parent / "events"

    @property
    def artifacts(self) -> Path:
        """What agents load, beside the inbox: written by the wheel, only read here."""
        return self.inbox.parent / "artifacts"

    @model_validator(mode="after")
    def is_guarded(self) -> Self:
        """Beyond loopback nobody is let in without a token."""
        if any(token is not None and not token.get_secret_value() for token in (self.token, self.emit_token)):
            raise ValueError("the token is empty: set one, or leave it out and stay on loopback")
        if self.token is None and not is_loopback(self.host):
            raise ValueError(
                f"{self.host} can be reached from other machines: set a token (senders then use "
                "OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer <token>'), or bind to 127.0.0.1"
            )
        return self


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`; a name that is not 'localhost' is taken to be reachable."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
