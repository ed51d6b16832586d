"""`prices.yaml`: what the operator pays for tokens, for calls that do not state their cost."""

from datetime import date
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Price(BaseModel):
    """The price of one model, or of all whose name fits, from a day on; USD for one million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    model: str = Field(min_length=1, description="Name, or provider/name; * and ? match")
    since: date = Field(alias="from", description="First day (UTC) on which it holds")
    input: float = Field(ge=0, allow_inf_nan=False, description="Input tokens")
    output: float = Field(ge=0, allow_inf_nan=False, description="Output tokens, reasoning included")
    cache_read: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="Absent: as input")
    cache_write: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="Absent: as input")


class PricesFile(BaseModel):
    """All prices."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prices: tuple[Price, ...] = ()

    @model_validator(mode="after")
    def says_each_once(self) -> Self:
        """No model has two prices from one day."""
        stated = [(price.model, price.since) for price in self.prices]
        twice = sorted({f"{model} from {since}" for model, since in stated if stated.count((model, since)) > 1})
        if twice:
            message = f"stated more than once: {', '.join(twice)}"
            raise ValueError(message)
        return self
