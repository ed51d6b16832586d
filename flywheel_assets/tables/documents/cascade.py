"""A cascade: models in order, of which the next one is asked where a gate does not pass the answer.

It is an arm like any other, and its name says all of it, so that agents need no rule beside it:

    cascade/<gate>/<first model>><next model>|<prompt version>|<tool schema>
"""

import re
from dataclasses import dataclass
from typing import Self

# What stands before a cascade's gate where an arm has a model.
PREFIX = "cascade/"
# A gate's word is posted as feedback of this name and the gate's. It says what was escalated, not what was right.
WORD = "flywheel.gate."
GATE = r"[A-Za-z0-9_.\-]+"
_NAME = re.compile(rf"{PREFIX}({GATE})/([^|>]+(?:>[^|>]+)+)")


@dataclass(frozen=True, slots=True)
class Cascade:
    """A gate's name and at least two models."""

    gate: str
    models: tuple[str, ...]

    @property
    def model(self) -> str:
        """What stands for it where an arm has a model."""
        return f"{PREFIX}{self.gate}/{'>'.join(self.models)}"

    @classmethod
    def parse(cls, model: str) -> Self | None:
        """The cascade of that name; None where it is a single model's, or no whole cascade."""
        found = _NAME.fullmatch(model)
        return cls(found[1], tuple(found[2].split(">"))) if found else None


def models_of(model: str) -> tuple[str, ...]:
    """The models that a run may ask: those of a cascade in order, or the one."""
    found = Cascade.parse(model)
    return found.models if found else (model,)
