"""A day's admission in numbers: who objected to how much, and what gates on trial would have changed."""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

SHADOW = " in shadow"


def account(verdicts: pa.Table, gated: pa.Table, rejected: pa.Table) -> dict[str, Any]:
    """Of what `admit` returns: examples in and out, objections by gate and reason, and the gates in shadow.

    A gate in shadow is told by what it would refuse that is admitted, and what it would allow that is refused.
    """
    objections = verdicts.filter(pc.not_equal(verdicts["verdict"], "allow"))
    on_trial = pc.match_substring(objections["gate_version"], SHADOW)
    counted = objections.filter(pc.invert(on_trial)).group_by(["gate", "reason"]).aggregate([("example_id", "count")])
    by_gate = sorted(zip(*(counted[name].to_pylist() for name in ("gate", "reason", "example_id_count")), strict=True))
    return {
        "admitted": gated.num_rows,
        "refused": rejected.num_rows,
        "objections": {f"{gate}: {reason}": count for gate, reason, count in by_gate},
        "gates in shadow": _shadow(verdicts, objections.filter(on_trial), gated, rejected),
    }


def _shadow(verdicts: pa.Table, objections: pa.Table, gated: pa.Table, rejected: pa.Table) -> dict[str, str]:
    named = verdicts.filter(pc.match_substring(verdicts["gate_version"], SHADOW))["gate"].unique().sort().to_pylist()
    told: dict[str, str] = {}
    for gate in named:
        refused = objections.filter(pc.equal(objections["gate"], gate))["example_id"]
        would = pc.sum(pc.is_in(gated["example_id"], refused)).as_py() or 0
        alike = pc.sum(pc.is_in(rejected["example_id"], refused)).as_py() or 0
        told[gate] = f"would refuse {would} that are admitted, would allow {rejected.num_rows - alike} that are refused"
    return told
