"""Drills: what the code that decides does with arms whose truth is known, on own traffic."""

from flywheel_assets.tables.table import INT, REAL, TEXT, Column, Table

DRILLS = Table(
    name="drills",
    stage="decisions",
    row="One kind of drill on one skill's newest traffic. Nothing of it reaches an agent.",
    key=("skill", "drill"),
    columns=(
        Column("skill", TEXT, "Skill", required=True),
        Column(
            "drill",
            TEXT,
            "identical | permuted | better_5 | better_10 | worse_10 | poisoned",
            required=True,
        ),
        Column("truth", TEXT, "not_better | better | falsified: what the right verdict depends on", required=True),
        Column("arm", TEXT, "Arm whose runs were used; NULL: too few units"),
        Column("units", INT, "Units in each trial", "units", required=True),
        Column("trials", INT, "Trials; 0: not measured", "trials", required=True),
        Column("promoted", INT, "Trials that ended in a promotion", "trials", required=True),
        Column("abandoned", INT, "Trials that ended without one", "trials", required=True),
        Column("undecided", INT, "Trials that were still open after all units", "trials", required=True),
        Column("observed", REAL, "promoted / trials; NULL: not measured", "share"),
        Column("lower", REAL, "Lower end of its 95 % interval (Clopper–Pearson)", "share"),
        Column("upper", REAL, "Upper end", "share"),
        Column("nominal", REAL, "Share of promotions that is promised not to be exceeded; NULL: none is", "share"),
        Column("units_to_promotion", REAL, "Median units until promotion among those promoted; NULL: none", "units"),
        Column("reason", TEXT, "What it shows, or why it was not measured", required=True),
        Column("drawn_from", TEXT, "Hash of the runs, the seed and the rules: while it stays, the drill stands"),
    ),
)
