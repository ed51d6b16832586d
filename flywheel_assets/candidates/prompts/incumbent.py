"""What is in production, as far as prompts go."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class IncumbentPrompt:
    """The prompt in production: its version ('-' when unknown) and text, and the whole arm that it is part of.

    `known` has every prompt that the skill ever had, by version.
    """

    version: str
    text: str
    arm: str = ""
    known: Mapping[str, str] = field(default_factory=dict[str, str])
