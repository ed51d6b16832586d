"""A day's sufficient statistics: merging days never re-reads rows."""

import pyarrow as pa

from flywheel_assets.tables.table import DAY, INT, REAL, TEXT, Column, Table

SKILL_DAY_STATS = Table(
    name="skill_day_stats",
    stage="scores",
    row="One skill × arm × segment on one day. All figures add up over rows.",
    key=("day", "skill", "arm", "segment"),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day on which the runs started", required=True),
        Column("skill", TEXT, "Skill", required=True),
        Column("arm", TEXT, "Arm", required=True),
        Column("model", TEXT, "The arm's model", required=True),
        Column("prompt_version", TEXT, "The arm's prompt version"),
        Column("segment", TEXT, "Segment the runs were drawn into; 'none' without a decision", required=True),
        Column("runs", INT, "Runs seen, admitted or not", "runs", required=True),
        Column("admitted", INT, "Runs with an admitted outcome", "runs", required=True),
        Column("missing", INT, "Runs whose outcome nobody stated", "runs", required=True),
        Column("immature", INT, "Runs whose outcome may still come", "runs", required=True),
        Column("refused", INT, "Runs with an outcome that a gate held or discarded", "runs", required=True),
        Column(
            "clusters",
            INT,
            "Sessions among the admitted runs (a run without one is its own)",
            "sessions",
            required=True,
        ),
        Column("sum_w", REAL, "Σ weight over admitted runs", required=True),
        Column("sum_ww", REAL, "Σ weight²", required=True),
        Column("sum_wy", REAL, "Σ weight × outcome", required=True),
        Column("sum_wyy", REAL, "Σ weight × outcome²", required=True),
        Column("sum_cluster_ww", REAL, "Σ over sessions of (Σ weight)²", required=True),
        Column("sum_cluster_wyw", REAL, "Σ over sessions of (Σ weight × outcome)(Σ weight)", required=True),
        Column("sum_cluster_wywy", REAL, "Σ over sessions of (Σ weight × outcome)²", required=True),
        Column("costed", INT, "Runs with a known cost, without those that a gate refused", "runs", required=True),
        Column("sum_cost", REAL, "Σ cost over these", "USD", required=True),
        Column("sum_cost_sq", REAL, "Σ cost²", "USD²", required=True),
        Column("errors", INT, "Runs with status error", "runs", required=True),
        Column("timed", INT, "Runs with a known duration, without those that a gate refused", "runs", required=True),
        Column("sum_seconds", REAL, "Σ duration over these", "s", required=True),
        Column(
            "latency_buckets",
            pa.list_(pa.int64()),
            "Run counts per duration bucket; bucket i holds durations in [2^(i/4), 2^((i+1)/4)) milliseconds",
            "runs",
            required=True,
        ),
    ),
)
