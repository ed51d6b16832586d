"""`python -m flywheel_assets.replay.prompt_search DATA > docs/prompts.md`: search among recorded prompt variants.

DATA holds the folders of two public data sets: accuracies of many paraphrased prompts on many models, from
which outcomes are drawn, and outcomes of three prompts on each example. Everything from the variants as
candidates to the ledger is the wheel's own code; beside it, Thompson's rule on the same outcomes.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flywheel_assets.replay.matrix import Matrix
from flywheel_assets.replay.measures import mean
from flywheel_assets.replay.trials import Picked, replay_trials
from flywheel_assets.tables.documents.skills_file import Skill

VARIANTS, PAIRS, RUNS, SEEDS = 20, 24, 2000, 5
SKILL = Skill(baseline_model="model", holdout=0.0)
# Units after which an undecided trial is given up: where many wait, and where there are two.
MANY, FEW = 600, 2500
# So little is no gain that a trial of hundreds of runs could tell from none.
SMALL = 0.05

HEAD = f"""# Searching among prompts

Variants in a folder are explored, the most promising is tried, and what an anytime-valid test on runs since its
registration accepts is promoted; every trial takes its part of one error budget (5 %), whatever came of it. Here
recorded prompts stand for the variants. Thompson's rule gets the same number of runs, and its pick is the arm with
the highest posterior mean: all its runs go into picking, and it never says whether its pick is better at all. What
is picked here less well than by it is the price of that answer.

Written by `python -m flywheel_assets.replay.prompt_search DATA`. Canary share {SKILL.canary}, explore share
{SKILL.explore}, at most {MANY} units a trial of paraphrases and {FEW} of the others, a turn every 100 runs. Means with
95 % intervals over searches.
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One search: its name, the outcomes of each variant, and their texts, the one at launch first."""

    name: str
    matrix: Matrix
    texts: tuple[str, ...]
    units: int


def searched(case: Case, runs: int, seed: int) -> Picked:
    """The wheel's search."""
    skill = SKILL.model_copy(update={"baseline_prompt": case.texts[0], "max_units": case.units})
    return replay_trials(case.matrix, skill, runs, seed, texts=case.texts)


def thompson(case: Case, runs: int, seed: int) -> float:
    """The true value of what Thompson's rule would pick after so many runs."""
    rng = np.random.default_rng(seed)
    outcome = case.matrix.outcome
    good, bad = np.ones(outcome.shape[1]), np.ones(outcome.shape[1])
    for nth in range(runs):
        arm = int(rng.beta(good, bad).argmax())
        value = outcome[nth % len(outcome), arm]
        hit = bool(rng.random() < value)
        good[arm] += hit
        bad[arm] += not hit
    return float(outcome.mean(axis=0)[int((good / (good + bad)).argmax())])


def without_difference(case: Case) -> Case:
    """Every variant as good as the one at launch: whatever is promoted here is a false promotion."""
    outcome = np.repeat(case.matrix.outcome[:, :1], case.matrix.outcome.shape[1], axis=1)
    return replace(case, matrix=replace(case.matrix, outcome=outcome))


def paraphrases(folder: Path, pairs: int, variants: int) -> list[Case]:
    """Random pairs of task and model, each with the default template and others that were marked as correct."""
    scores = pd.read_csv(folder / "template_accuracies.csv.gz")
    templates = pd.read_csv(folder / "templates.csv")
    whole = scores.merge(templates, on=["benchmark", "task", "paraphrase_idx"])
    # The folder's own marks: which template was there first, and which say the same.
    usable = whole.query("method == 'default' or correct_paraphrase")
    rng = np.random.default_rng(0)
    found: list[Case] = []
    groups = {str(key): rows for key, rows in usable.groupby(["benchmark", "task", "model"])}
    names = sorted(name for name, rows in groups.items() if "default" in set(rows["method"]))
    for name in (names[at] for at in rng.permutation(len(names))[:pairs]):
        rows = groups[name]
        first = rows.query("method == 'default'").head(1)
        others = rows.drop(first.index).sample(variants - 1, random_state=rng)
        chosen = pd.concat([first, others])
        texts = [f"{text}\n#{at}" for text, at in zip(chosen["template"], chosen["paraphrase_idx"], strict=True)]
        rates = np.array([list(chosen["acc"])], dtype=np.float64)
        found.append(Case(name, _matrix(rates, rates=True), tuple(texts), MANY))
    return found


def examples(folder: Path) -> list[Case]:
    """Three prompts on every example of each task."""
    rows = pd.read_csv(folder / "per_example.csv.gz")
    prompts = pd.read_csv(folder / "prompts.csv")
    found: list[Case] = []
    for name, of_task in rows.groupby("dataset"):
        variants = [column.removesuffix("_correct") for column in of_task.columns if column.endswith("_correct")]
        outcome = np.column_stack([of_task[f"{variant}_correct"].astype(float) for variant in variants])
        texts = prompts[prompts["dataset"] == name].set_index("variant")["prompt"]
        said = tuple(f"{texts[variant]}\n#{variant}" for variant in variants)
        found.append(Case(str(name), _matrix(outcome, rates=False), said, FEW))
    return found


def _matrix(outcome: NDArray[np.float64], *, rates: bool) -> Matrix:
    count, arms = outcome.shape
    nothing = np.full_like(outcome, np.nan)
    names = tuple(f"prompt {arm}" for arm in range(arms))
    return Matrix(
        tuple(map(str, range(count))), names, outcome, nothing, nothing, ("",) * count, ({},) * count, rates=rates
    )


def section(title: str, said: str, cases: Sequence[Case], runs: int, seeds: Sequence[int]) -> str:
    """The searches of one table, and their sums."""
    picks: dict[str, list[Picked]] = defaultdict(list)
    rivals: dict[str, list[float]] = defaultdict(list)
    for case in cases:
        for seed in seeds:
            picks[case.name].append(searched(case, runs, seed))
            rivals[case.name].append(thompson(case, runs, seed))
            sys.stderr.write(f"{title}: {case.name} {seed}\n")
    every = [one for found in picks.values() for one in found]
    promoted = [one for one in every if one.promotions]
    small = [one for one in every if one.best - one.baseline <= SMALL]
    first = mean([float(one.promotions[0][0]) for one in promoted]).said if promoted else "none"
    rows = [
        ("searches", f"{len(every)}, of {len(cases[0].texts)} prompts each, {runs} runs"),
        ("at launch", mean([one.baseline for one in every]).said),
        ("best", mean([one.best for one in every]).said),
        ("picked here", mean([one.value for one in every]).said),
        ("picked by Thompson's rule", mean([value for found in rivals.values() for value in found]).said),
        ("obtained on the way", mean([one.obtained for one in every]).said),
        ("promotions", str(sum(len(one.promotions) for one in every))),
        ("of those to a prompt that is no better", str(sum(one.wrong for one in every))),
        ("trials, each registered and paid for from the budget", str(sum(one.trials for one in every))),
        ("runs until the first promotion, where there was one", first),
        (
            f"searches where the best gains at most {SMALL:.0%}",
            f"{len(small)}, {sum(bool(o.promotions) for o in small)} promoted",
        ),
    ]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"## {title}\n\n{said}\n\n| | |\n|---|---|\n{table}\n"


def page(data: Path, pairs: int = PAIRS, runs: int = RUNS, seeds: int = SEEDS) -> str:
    """All of it."""
    many = paraphrases(data / "slab_prompt_variants", pairs, VARIANTS)
    parts = [
        section(
            "Twenty paraphrases",
            "Random pairs of task and model; outcomes are drawn from each template's accuracy. Measured elsewhere on\n"
            "another draw of pairs: best .490, default .336, Thompson's pick .474.",
            many,
            runs,
            [0],
        ),
        section(
            "Twenty prompts that are all the same",
            "The same searches, every variant as good as the one at launch. Each promotion would be false.",
            [without_difference(case) for case in many],
            runs,
            [0],
        ),
    ]
    parts += [
        section(
            case.name.replace("_", " "),
            "Recorded outcomes; examples come round again.",
            [case],
            3 * runs // 2,
            range(seeds),
        )
        for case in examples(data / "gepa_prompt_variants")
    ]
    return "\n".join([HEAD, *parts])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The page on searching among prompts.")
    parser.add_argument("data", type=Path)
    sys.stdout.write(page(parser.parse_args().data))
