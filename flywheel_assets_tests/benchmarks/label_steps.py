"""Failed runs of several agents in which people marked the agent and the step that decided it."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from flywheel_assets.examples.credit import Signs, shares

FAILED = re.compile(r"exitcode: [1-9]|Traceback \(most recent call last\)")
RAN = re.compile(r"exitcode: \d")
PERSON = "human"


def read_steps(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labels, and messages with `agent` (who wrote it) in order."""
    steps = pd.read_parquet(folder / "steps.parquet").sort_values(["id", "step"], ignore_index=True)
    steps["agent"] = steps["name"].fillna(steps["role"]).str.replace(r"\s*\(.*\)$", "", regex=True)
    return pd.read_csv(folder / "labels.csv"), steps


def blame(steps: pd.DataFrame) -> np.ndarray:
    """Each message's share, by the rule that `span_credit` follows; what a person wrote is no work of the run.

    An execution that failed is the message's before it: it did what that said.
    """
    work = (steps["role"] != PERSON).to_numpy()
    mine = steps[work]
    run, runs = pd.factorize(mine["id"])
    text = mine["content"].fillna("")
    failed = text.str.contains(FAILED)
    began = failed.groupby(mine["id"]).shift(-1, fill_value=False).to_numpy().astype(bool)
    nothing = np.full(len(mine), np.nan)
    place = mine.groupby("id").cumcount().to_numpy() + 1.0
    ran = text.str.contains(RAN).to_numpy().astype(bool)
    signs = Signs(run, place, ran, began & ~ran, np.zeros(len(mine), bool), nothing, nothing)
    share = np.zeros(len(steps))
    share[work] = shares(signs, len(runs))[0]
    return share


def guesses(steps: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """By rule, the agent and the step that it takes for the cause, by run."""
    blamed = steps.assign(share=blame(steps))
    top = blamed.loc[blamed.groupby("id")["share"].idxmax()].set_index("id")
    by_agent = blamed.groupby(["id", "agent"])["share"].sum().reset_index()
    most = by_agent.loc[by_agent.groupby("id")["share"].idxmax()].set_index("id")["agent"]
    found = {
        "blame by `span_credit`: the step with most": top[["agent", "step"]],
        "blame by `span_credit`: the agent with most of it": top[["step"]].assign(agent=most),
    }
    for step in (0, 1):
        found[f"position: always step {step}"] = steps[steps["step"] == step].set_index("id")[["agent", "step"]]
    talk = steps[steps["role"] != PERSON].groupby("id")["agent"].agg(lambda names: names.value_counts().index[0])
    found["the agent that speaks most, its first step"] = pd.DataFrame(
        {"agent": talk, "step": steps.merge(talk, on=["id", "agent"]).groupby("id")["step"].min()}
    )
    return found


def step_lines(folder: Path) -> list[str]:
    labels, steps = read_steps(folder)
    lines = ["| rule | runs | agent | step | step, within one |", "|---|---|---|---|---|"]
    truth = labels.set_index("id")
    agent = truth["mistake_agent"].str.strip().str.lower()
    for rule, guess in guesses(steps).items():
        said = guess.reindex(truth.index)
        off = (said["step"] - truth["mistake_step"]).abs()
        hits = (said["agent"].str.strip().str.lower() == agent).mean(), (off == 0).mean(), (off <= 1).mean()
        lines.append(f"| {rule} | {len(truth)} | {' | '.join(f'{100 * hit:.1f} %' for hit in hits)} |")
    return lines
