"""`Dialect`: a convention of naming span attributes, as data.

An attribute key may hold `<i>` for an index, as in `llm.input_messages.<i>.message.content`: of
several present, the one with the greatest index is meant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ByValue:
    """The operation is told by an attribute's value (compared without regard to case)."""

    key: str
    operations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ByKey:
    """The operation is told by an attribute's presence."""

    key: str
    operation: str


@dataclass(frozen=True, slots=True)
class ByName:
    """The operation is told by the first word of the span's name; `requires` is an attribute it must have."""

    operations: Mapping[str, str]
    requires: str | None = None


Rule = ByValue | ByKey | ByName


@dataclass(frozen=True, slots=True)
class Dialect:
    """Attribute keys per `raw_spans` column, best first, and the rules that tell the operation, best first."""

    name: str
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    operations: tuple[Rule, ...] = ()
