# %% [markdown]
# # One promotion, from spans to decision
#
# A notebook as a plain script: it runs with Python, and cell by cell in Jupyter, VS Code and marimo. It reads one file,
# the snapshot, with nothing of flywheel_assets installed. `make demo` makes one with promotions in it.

# %%
import json
import os

import duckdb

SNAPSHOT = os.environ.get("FLYWHEEL_SNAPSHOT", "data/demo/snapshots/current.duckdb")
con = duckdb.connect(SNAPSHOT, read_only=True)


def show(title: str, question: str, *values: object) -> list[dict[str, object]]:
    """Print a table, and give its rows."""
    rows = con.execute(question, values).to_arrow_table().to_pylist()
    print(f"\n{title}")
    for row in rows[:12]:
        print("  " + "   ".join(f"{name}={value}" for name, value in row.items()))
    return rows


# %% [markdown]
# ## What was promoted
# The newest promotion. `estimate` is the difference of mean outcomes; the interval holds at every look, not at one.

# %%
promoted = show(
    "promotion",
    """
    SELECT entry_id, experiment_id, skill, candidate_arm, incumbent_arm, estimate, lower, upper, e_value, alpha,
           decided_at, registration_json, criteria_json
    FROM promotion_decisions WHERE kind = 'promoted' ORDER BY seq DESC LIMIT 1
    """,
)
(decision,) = promoted

# %% [markdown]
# ## What had been agreed before there were data
# The registration: nothing in it could be changed afterwards without becoming another trial.

# %%
registration = json.loads(str(decision["registration_json"]))
print({name: registration[name] for name in ("registered_at", "margin", "alpha", "canary_share", "max_units")})

# %% [markdown]
# ## Each criterion, with its numbers

# %%
for criterion in json.loads(str(decision["criteria_json"]))["criteria"]:
    print(f"{criterion['verdict']:>10}  {criterion['criterion']}: {criterion['reason']}")

# %% [markdown]
# ## The looks before
# The trial was looked at after every turn, and held until the evidence was there.

# %%
looks = show(
    "looks",
    """
    SELECT decided_at, kind, candidate_units, incumbent_units, estimate, lower, upper, e_value
    FROM promotion_decisions WHERE experiment_id = ? ORDER BY seq
    """,
    decision["experiment_id"],
)

# %% [markdown]
# ## The runs that argued
# Both sides ran at the same time on units that chance drew. `weight` is what a run added; its sign is the side it took.

# %%
sides = show(
    "evidence",
    """
    SELECT a.side, count(*) AS runs, avg(o.outcome) AS mean_outcome, avg(o.cost_usd) AS mean_cost_usd
    FROM decision_arguments AS a JOIN gated_observations AS o USING (run_id)
    WHERE a.entry_id = ? AND o.grain = 'run' GROUP BY a.side ORDER BY a.side
    """,
    decision["entry_id"],
)
loudest = show(
    "the runs that weighed most",
    """
    SELECT run_id, trace_id, side, outcome, weight FROM decision_arguments
    WHERE entry_id = ? ORDER BY abs(weight) DESC, run_id LIMIT 5
    """,
    decision["entry_id"],
)

# %% [markdown]
# ## Who said how one of them went

# %%
votes = show(
    "votes on the loudest run",
    "SELECT labeler, tier, author_id, value, confidence, evidence FROM label_votes WHERE run_id = ? ORDER BY ALL",
    loudest[0]["run_id"],
)

# %% [markdown]
# ## And what it was made of: its spans

# %%
spans = show(
    "spans of the loudest run",
    """
    SELECT s.name, r.role, s.request_model, s.duration_ns / 1e9 AS seconds, s.status
    FROM run_spans AS r JOIN raw_spans AS s USING (trace_id, span_id)
    WHERE r.run_id = ? ORDER BY s.start_time
    """,
    loudest[0]["run_id"],
)

# %% [markdown]
# ## Was it worth it?
# The difference to the launch arm, which the holdout still runs.

# %%
momentum = show(
    "momentum",
    "SELECT runs, current, baseline, lift, lower, upper, standing FROM momentum WHERE skill = ? ORDER BY block",
    decision["skill"],
)
con.close()
