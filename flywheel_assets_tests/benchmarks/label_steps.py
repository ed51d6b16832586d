"""Failed runs of several agents in which people marked the agent and the step that decided it."""

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from flywheel_assets.examples.credit import Signs, shares

FAILED = re.compile(r"exitcode: [1-9]|Traceback \(most recent call last\)")
RAN = re.compile(r"exitcode: \d")
PERSON, TOOL = "human", "tool"
# What the system was told beforehand is no step of its; the user whom a model plays is an agent.
PERSONS = {"system": PERSON}


def read_steps(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labels, and messages with `agent` (who wrote it) in order."""
    steps = pd.read_parquet(folder / "steps.parquet").sort_values(["id", "step"], ignore_index=True)
    steps["agent"] = steps["name"].fillna(steps["role"]).str.replace(r"\s*\(.*\)$", "", regex=True)
    return pd.read_csv(folder / "labels.csv"), steps


def read_failures(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same of runs in which people marked every failure and which of them was the root cause; steps from 1."""
    failures = pd.read_csv(folder / "failures.csv")
    with gzip.open(folder / "trajectories.jsonl.gz", "rt") as lines:
        runs = {run["id"]: run["traj"] for run in map(json.loads, lines)}
    steps = pd.DataFrame(
        [
            {"id": run, "step": number, "role": PERSONS.get(said["role"], said["role"]), "content": said["content"]}
            for run in runs.keys() & set(failures["id"])
            for number, said in enumerate(runs[run], start=1)
        ]
    ).sort_values(["id", "step"], ignore_index=True)
    steps["agent"] = steps["role"].str.replace(r"\s*\(.*\)$", "", regex=True)
    causes = failures.loc[(failures["is_root_cause"] == 1) & failures["id"].isin(steps["id"])]
    return causes.rename(columns={"step_number": "mistake_step", "failed_agent": "mistake_agent"}), steps


def blame(steps: pd.DataFrame) -> np.ndarray:
    """Each message's share, by the rule that `span_credit` follows; what a person wrote is no work of the run.

    An execution that failed is the message's before it: it did what that said.
    """
    work = (steps["role"] != PERSON).to_numpy()
    mine = steps.loc[work]
    run, runs = pd.factorize(mine["id"])
    text = mine["content"].fillna("")
    failed = text.str.contains(FAILED)
    began = failed.groupby(mine["id"]).shift(-1, fill_value=False).to_numpy().astype(bool)
    nothing = np.full(len(mine), np.nan)
    place = mine.groupby("id").cumcount().to_numpy() + 1.0
    ran = (text.str.contains(RAN) | (mine["role"] == TOOL)).to_numpy().astype(bool)
    signs = Signs(run, place, ran, began & ~ran, np.zeros(len(mine), bool), nothing, nothing)
    share = np.zeros(len(steps))
    share[work] = shares(signs, len(runs))[0]
    return share


def guesses(steps: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """By rule, the agent and the step that it takes for the cause, by run."""
    blamed = steps.assign(share=blame(steps))
    top = blamed.loc[blamed.groupby("id")["share"].idxmax()].set_index("id")
    by_agent = pd.DataFrame(blamed.groupby(["id", "agent"], as_index=False)["share"].sum())
    most = by_agent.loc[by_agent.groupby("id")["share"].idxmax()].set_index("id")["agent"]
    found = {
        "blame by `span_credit`: the step with most": top[["agent", "step"]],
        "blame by `span_credit`: the agent with most of it": top[["step"]].assign(agent=most),
    }
    place = steps.groupby("id").cumcount()
    for step in (0, 1):
        found[f"position: always step {step}"] = steps[place == step].set_index("id")[["agent", "step"]]
    talk = steps[steps["role"] != PERSON].groupby("id")["agent"].agg(lambda names: names.value_counts().index[0])
    found["the agent that speaks most, its first step"] = pd.DataFrame(
        {"agent": talk, "step": steps.merge(talk, on=["id", "agent"]).groupby("id")["step"].min()}
    )
    return found


def step_lines(labels: pd.DataFrame, steps: pd.DataFrame) -> list[str]:
    """A table: by rule how often agent and step are the marked ones, the step with a 95 % interval (Wilson)."""
    lines = ["| rule | runs | agent | step | 95 % interval | step, within one |", "|---|---|---|---|---|---|"]
    truth = labels.set_index("id")
    agent = truth["mistake_agent"].str.strip().str.lower()
    for rule, guess in guesses(steps).items():
        said = guess.reindex(truth.index)
        off = (said["step"] - truth["mistake_step"]).abs()
        low, high = proportion_confint((off == 0).sum(), len(truth), method="wilson")
        same = (said["agent"].str.strip().str.lower() == agent).mean()
        cells = f"{same:.1%}", f"{(off == 0).mean():.1%}", f"{low:.1%} to {high:.1%}", f"{(off <= 1).mean():.1%}"
        lines.append(f"| {rule} | {len(truth)} | {' | '.join(cells)} |".replace("%", " %"))
    return lines
