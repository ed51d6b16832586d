"""What is published to Typesense: three collections, their fields, and the SQL that fills each."""

from dataclasses import dataclass
from pathlib import Path

QUESTIONS = Path(__file__).parent / "questions" / "collections"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a collection: `optional` may be absent from a document."""

    name: str
    type: str
    facet: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection published under its name as an alias; newest first is by `sorted_by`."""

    name: str
    sorted_by: str
    fields: tuple[Field, ...]

    @property
    def question(self) -> str:
        """SQL that gives one row per document, from a snapshot."""
        return (QUESTIONS / f"{self.name}.sql").read_text(encoding="utf-8")


def numbers(*names: str) -> tuple[Field, ...]:
    """Optional floating-point fields."""
    return tuple(Field(name, "float", optional=True) for name in names)


SKILL_SCORES = Collection(
    "skill_scores",
    "runs",
    (
        Field("skill", "string", facet=True),
        Field("arm", "string", facet=True),
        Field("model", "string", facet=True),
        Field("prompt_version", "string", facet=True, optional=True),
        Field("runs", "int64"),
        Field("admitted", "int64"),
        *numbers("effective_n", "mean", "score", "lower", "upper", "cost_usd", "error_rate", "p95_seconds"),
        Field("rank", "int64", optional=True),
        Field("standing", "string", facet=True),
        Field("reason", "string"),
        Field("in_production", "bool", facet=True),
        Field("last_day", "int64"),
    ),
)

PROMOTION_DECISIONS = Collection(
    "promotion_decisions",
    "seq",
    (
        Field("seq", "int64"),
        Field("decided_at", "int64"),
        Field("skill", "string", facet=True),
        Field("experiment_id", "string", facet=True),
        Field("kind", "string", facet=True),
        Field("candidate_arm", "string", facet=True),
        Field("incumbent_arm", "string", facet=True),
        Field("reason", "string"),
        *numbers("estimate", "lower", "upper", "e_value"),
        Field("candidate_units", "int64"),
        Field("incumbent_units", "int64"),
        Field("alpha", "float"),
        Field("alpha_left", "float"),
        Field("criteria_json", "string"),
        Field("hash", "string"),
    ),
)

GATED_OBSERVATIONS = Collection(
    "gated_observations",
    "timestamp",
    (
        Field("session_id", "string", facet=True),
        Field("observation", "string"),
        Field("observation_type", "string", facet=True),
        Field("source", "string", facet=True),
        Field("timestamp", "int64"),
        Field("updated_at", "int64"),
        Field("merged_count", "int64"),
        Field("stale", "bool", facet=True),
        Field("recall_count", "int64"),
        *numbers("retrieval_priority"),
        # What a memory's readers may filter by, and a run never has.
        *(Field(name, "int64", optional=True) for name in ("stale_tagged_at", "last_used_at", "last_recalled_at")),
        *(Field(name, "string", optional=True) for name in ("superseded_by", "supersedes")),
        Field("write_verdict", "string", facet=True),
        *numbers("write_confidence"),
        Field("write_reason", "string"),
        Field("write_gate_version", "string", facet=True),
        Field("write_gate_fallback", "bool"),
        Field("category_id", "string", facet=True),
        *numbers("category_confidence"),
        Field("category_source", "string", facet=True),
        Field("taxonomy_version", "string", facet=True),
        *numbers("outcome"),
        Field("arm", "string", facet=True, optional=True),
        Field("segment", "string", facet=True, optional=True),
        Field("run_id", "string"),
        Field("trace_id", "string"),
        Field("redacted", "bool", facet=True),
    ),
)

COLLECTIONS = (SKILL_SCORES, PROMOTION_DECISIONS, GATED_OBSERVATIONS)
