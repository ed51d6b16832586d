"""An arm: what a run can be sent to."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field


class Arm(BaseModel):
    """A model, a prompt version and a tool schema; '-' where a part is unknown or does not matter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(min_length=1, description="Model id, 'provider/name' where the provider is known")
    prompt_version: str = Field(default="-", description="First 12 hex digits of the prompt text's SHA-256, or '-'")
    tool_schema: str = Field(default="-", description="Hash of the tool definitions, or '-'")

    def __str__(self) -> str:
        return f"{self.model}|{self.prompt_version}|{self.tool_schema}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The arm written as 'model|prompt version|tool schema'. Raises ValueError otherwise."""
        parts = text.split("|")
        if len(parts) != 3:
            message = f"an arm is 'model|prompt version|tool schema', got {text!r}"
            raise ValueError(message)
        return cls(model=parts[0], prompt_version=parts[1], tool_schema=parts[2])
