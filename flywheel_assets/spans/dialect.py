"""`Dialect`: a convention of naming span attributes, as data.

An attribute key may hold `<i>` for an index, as in `llm.input_messages.<i>.message.content`: of
several present, the one with the greatest index is meant. `key#member` is a member of the JSON object
that is the key's value; members are believed after all whole attributes.
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


@dataclass(frozen=True, slots=True)
class Named:
    """On spans whose operation this dialect told to be `operation`, what names the column if nothing else did.

    An attribute, or else the span's own name, without its first word where that is `leaving`.
    """

    operation: str
    column: str
    key: str | None = None
    leaving: str = ""


Rule = ByValue | ByKey | ByName


@dataclass(frozen=True, slots=True)
class Dialect:
    """Attribute keys per `raw_spans` column, best first, and the rules that tell the operation, best first.

    `only`: values of a key that say something, where all others do not. `scales`: what to multiply a
    key's number by to have the column's unit. `quoted`: values are written as JSON text.
    """

    name: str
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    operations: tuple[Rule, ...] = ()
    named: tuple[Named, ...] = ()
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)
    quoted: bool = False
