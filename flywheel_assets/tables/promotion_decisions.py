"""The ledger: what was registered, tried, promoted, held and rolled back. Append-only."""

from flywheel_assets.tables.table import INT, REAL, TEXT, TEXTS, TIME, Column, Table

PROMOTION_DECISIONS = Table(
    name="promotion_decisions",
    stage="decisions",
    row="One entry: a transition or a look at one registered experiment, with its frozen evidence.",
    key=("seq",),
    columns=(
        Column("seq", INT, "Position in the ledger, from 1", required=True),
        Column("entry_id", TEXT, "First 16 hex digits of hash", required=True),
        Column("decided_at", TIME, "When", required=True),
        Column("skill", TEXT, "Skill", required=True),
        Column("experiment_id", TEXT, "The registration's id", required=True),
        Column(
            "kind",
            TEXT,
            "registered | canary (begun by a person) | held | promoted | rolled_back | abandoned",
            required=True,
        ),
        Column("candidate_arm", TEXT, "Arm on trial", required=True),
        Column("incumbent_arm", TEXT, "Arm it is compared with", required=True),
        Column("reason", TEXT, "The verdict in words", required=True, private="words"),
        Column("estimate", REAL, "Mean outcome difference, candidate minus incumbent", "outcome"),
        Column("lower", REAL, "Lower end of the confidence sequence at the allotted alpha", "outcome"),
        Column("upper", REAL, "Upper end", "outcome"),
        Column("e_value", REAL, "e-value against 'the candidate is not better'"),
        Column("candidate_units", INT, "Units of evidence in the candidate arm", "units", required=True),
        Column("incumbent_units", INT, "Units of evidence in the incumbent arm", "units", required=True),
        Column("alpha", REAL, "Error budget allotted to this experiment", "probability", required=True),
        Column("alpha_left", REAL, "Budget left for all later experiments", "probability", required=True),
        Column(
            "criteria_json",
            TEXT,
            "Every criterion with its verdict and numbers, JSON",
            required=True,
            private="words",
        ),
        Column("registration_json", TEXT, "The registration, JSON", required=True),
        Column(
            "manifest_json",
            TEXT,
            "Table versions, code version, configuration hash, seed: enough to replay",
            required=True,
        ),
        Column("evidence_hash", TEXT, "SHA-256 of the evidence rows in order", required=True),
        Column("evidence_days", TEXTS, "Days the evidence spans", required=True),
        Column("previous_hash", TEXT, "hash of the entry before; 64 zeros for the first", required=True),
        Column("hash", TEXT, "SHA-256 over all other columns, hex", required=True),
    ),
)
