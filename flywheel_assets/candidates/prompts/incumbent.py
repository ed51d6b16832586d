"""What is in production, as far as prompts go."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IncumbentPrompt:
    """The prompt in production: its version ('-' when unknown) and text, and the whole arm that it is part of."""

    version: str
    text: str
    arm: str = ""
