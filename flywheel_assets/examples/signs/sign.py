"""`Sign`: a named, versioned rule that names spans of failed runs, and the kind of error each shows."""

from dataclasses import dataclass

# The leaves of TRAIL's taxonomy, and what it calls "Language-only Hallucinations" by the name that its data give it.
KINDS = (
    "Authentication Errors",
    "Context Handling Failures",
    "Environment Setup Errors",
    "Formatting Errors",
    "Goal Deviation",
    "Incorrect Memory Usage",
    "Incorrect Problem Identification",
    "Instruction Non-compliance",
    "Language-only",
    "Poor Information Retrieval",
    "Rate Limiting",
    "Resource Abuse",
    "Resource Exhaustion",
    "Resource Not Found",
    "Service Errors",
    "Task Orchestration",
    "Timeout Issues",
    "Tool Definition Issues",
    "Tool Output Misinterpretation",
    "Tool Selection Errors",
    "Tool-related",
)


@dataclass(frozen=True, slots=True)
class Sign:
    """`sql` selects run_id, trace_id, span_id, kind (one of `KINDS`) and evidence, from what `found.sql` lays out."""

    name: str
    version: str
    sql: str
