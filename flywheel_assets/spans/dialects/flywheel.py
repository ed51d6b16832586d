"""What the flywheel's own client writes on spans when it has decided, and its feedback spans."""

from flywheel_assets.spans.dialect import ByKey, ByName, Dialect

DIALECT = Dialect(
    name="flywheel",
    columns={
        "skill_name": ("flywheel.skill.name",),
        "skill_version": ("flywheel.skill.version",),
        "decision_id": ("flywheel.decision.id",),
        "policy_id": ("flywheel.policy.id",),
        "experiment_id": ("flywheel.experiment.id",),
        "arm": ("flywheel.arm",),
        "segment": ("flywheel.segment",),
        "propensity": ("flywheel.propensity",),
        "keep_prob": ("flywheel.keep_prob",),
        "unit_id": ("flywheel.unit.id",),
        "candidate_set": ("flywheel.candidate_set",),
    },
    operations=(
        # One row that stands for many; whatever each of them was, it is no work.
        ByKey("flywheel.storm.count", "storm"),
        ByName({"flywheel.feedback": "evaluation"}),
    ),
)
