"""Answers of a crowd, fused as the wheel fuses votes, by the majority, and as Dawid and Skene did in 1979."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from flywheel_assets.examples.fuse import fuse

Numbers = NDArray[np.float64]
ANSWERS, DRAWS, ROUNDS = (1, 3, 5, 10), 5, 100
PERSON = 0.9
SPOKEN = {"grain": "run", "skill": "crowd", "labeler": "explicit_feedback", "labeler_version": "1", "tier": "human"}
SPOKEN |= {"author_version": None, "decides": True, "observed_at": datetime(2026, 11, 20, tzinfo=UTC)}
ANCHORS = (0, 20, 50, 100)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Answers by number: task, worker, answer; and the truth of every task."""

    task: NDArray[np.int64]
    worker: NDArray[np.int64]
    answer: NDArray[np.int64]
    truth: NDArray[np.int64]
    answers: int

    def some(self, each: int, seed: int) -> "Crowd":
        """At most so many answers a task, by chance."""
        order = np.random.default_rng(seed).permutation(len(self.task))
        rank = pd.Series(self.task[order]).groupby(self.task[order]).cumcount().to_numpy()
        kept = np.sort(order[rank < each])
        return Crowd(self.task[kept], self.worker[kept], self.answer[kept], self.truth, self.answers)


def read_crowd(folder: Path, name: str) -> Crowd:
    said, truths = (pd.read_csv(folder / file, dtype={"task": str}) for file in ("answers.csv.gz", "gold.csv"))
    said, truths = said[said.dataset == name], truths[truths.dataset == name]
    gold = truths.set_index("task").gold
    said = said[said.task.isin(gold.index)]
    task, tasks = pd.factorize(said.task)
    different = np.unique(np.concatenate([said.label, gold]))
    return Crowd(
        task,
        pd.factorize(said.worker)[0],
        np.searchsorted(different, said.label),
        np.searchsorted(different, gold.reindex(tasks)),
        len(different),
    )


def majority(crowd: Crowd) -> Numbers:
    """Probability of each answer by task: its share of the votes."""
    counts = np.zeros((len(crowd.truth), crowd.answers))
    np.add.at(counts, (crowd.task, crowd.answer), 1)
    return counts / counts.sum(axis=1, keepdims=True)


def dawid_skene(crowd: Crowd) -> Numbers:
    """Probability of each answer by task, by expectation–maximisation from the majority."""
    belief = majority(crowd)
    for _ in range(ROUNDS):
        confusion = np.full((crowd.worker.max() + 1, crowd.answers, crowd.answers), 1e-9)
        for truth in range(crowd.answers):
            np.add.at(confusion, (crowd.worker, truth, crowd.answer), belief[crowd.task, truth])
        confusion /= confusion.sum(axis=2, keepdims=True)
        logs = np.tile(np.log(np.maximum(belief.mean(axis=0), 1e-12)), (len(belief), 1))
        np.add.at(logs, crowd.task, np.log(confusion[crowd.worker, :, crowd.answer]))
        chances = np.exp(logs - logs.max(axis=1, keepdims=True))
        belief = chances / chances.sum(axis=1, keepdims=True)
    return belief


@dataclass(frozen=True, slots=True)
class Fused:
    """Probability of each answer by task, and by answer the method that was chosen for it."""

    chances: Numbers
    methods: tuple[str, ...]


def fused(crowd: Crowd, anchors: NDArray[np.int64] | None = None) -> Fused:
    """By `fuse`. An answer among several is as many questions of yes or no; two answers are one.

    `anchors` are tasks whose truth is known to the wheel as a person's answer about the random sample.
    """
    known = np.empty(0, np.int64) if anchors is None else anchors
    if crowd.answers == 2:
        good, method = _asked(crowd, 1, known)
        return Fused(np.stack([1 - good, good], axis=1), (method,))
    each, methods = zip(*(_asked(crowd, answer, known) for answer in range(crowd.answers)), strict=True)
    return Fused(shares(np.stack(each, axis=1)), methods)


def shares(chances: Numbers) -> Numbers:
    """Rows that add up to one."""
    return chances / np.maximum(chances.sum(axis=1, keepdims=True), 1e-12)


def _asked(crowd: Crowd, answer: int, anchors: NDArray[np.int64]) -> tuple[Numbers, str]:
    """How likely `answer` is, by task, and the method."""
    labels, authors, _ = fuse(votes_about(crowd, answer, anchors))
    return chance_of(labels), next(row["method"] for row in authors.to_pylist() if row["tier"] == "human")


def votes_about(crowd: Crowd, answer: int, anchors: NDArray[np.int64]) -> pa.Table:
    """The answers as votes on whether `answer` is true.

    A person's word is taken to be right as often as explicit feedback's is. Who gives another of several answers and
    errs, may yet be right in that it is not this one.
    """
    workers = [f"worker-{worker}" for worker in crowd.worker]
    task, size = np.concatenate([crowd.task, anchors]), len(crowd.task) + len(anchors)
    value = (np.concatenate([crowd.answer, crowd.truth[anchors]]) == answer).astype(np.float64)
    columns = {
        "example_id": [f"{one:06d}" for one in task],
        "author_id": [*workers, *["expert"] * len(anchors)],
        "value": value,
        "confidence": np.where(value > 0.5, PERSON, 1 - (1 - PERSON) / (crowd.answers - 1)),
        "anchor": np.arange(size) >= len(workers),
        **{name: [same] * size for name, same in SPOKEN.items()},
    }
    return pa.table(columns)


def chance_of(labels: pa.Table) -> Numbers:
    """How likely each is: a label says which side, and its confidence how likely it is."""
    outcome, sure = (labels.column(name).to_numpy() for name in ("outcome", "confidence"))
    return np.where(outcome > 0.5, sure, np.where(outcome < 0.5, 1 - sure, 0.5))


def right(chances: Numbers, truth: NDArray[np.int64]) -> float:
    """Share of tasks whose likeliest answer is true; a tie is right as often as a draw among them."""
    best = np.isclose(chances, chances.max(axis=1, keepdims=True))
    return float((best[np.arange(len(truth)), truth] / best.sum(axis=1)).mean())


def calibration_error(chances: Numbers, truth: NDArray[np.int64]) -> float:
    """Mean gap between confidence and accuracy over ten bins of confidence, by how many tasks are in each."""
    sure = chances.max(axis=1)
    best = np.isclose(chances, sure[:, None])
    hit = best[np.arange(len(truth)), truth] / best.sum(axis=1)
    low = 1 / chances.shape[1]
    bins = np.minimum(((sure - low) / (1 - low) * 10).astype(int), 9)
    return float(sum(np.mean(bins == b) * abs(sure[bins == b].mean() - hit[bins == b].mean()) for b in np.unique(bins)))


METHODS = {"fused": lambda crowd: fused(crowd).chances, "majority": majority, "Dawid–Skene": dawid_skene}


def crowd_lines(folder: Path, names: tuple[str, ...]) -> list[str]:
    """A table: by set and answers a task, accuracy and calibration error of each method, means over draws."""
    off_by = " | ".join(f"{method}: off by" for method in METHODS)
    lines = [
        f"| set | answers | {' | '.join(METHODS)} | behind the better | {off_by} | chosen |",
        "|---|---|" + "---|" * (2 * len(METHODS) + 2),
    ]
    for name in names:
        crowd = read_crowd(folder, name)
        for each in ANSWERS:
            draws = [crowd.some(each, seed) for seed in range(DRAWS)]
            ours = [fused(draw) for draw in draws]
            found = {"fused": [one.chances for one in ours]}
            found |= {name: [METHODS[name](draw) for draw in draws] for name in ("majority", "Dawid–Skene")}
            hits = {method: np.mean([right(one, crowd.truth) for one in some]) for method, some in found.items()}
            off = [np.mean([calibration_error(one, crowd.truth) for one in some]) for some in found.values()]
            behind = max(0.0, max(hits["majority"], hits["Dawid–Skene"]) - hits["fused"])
            cells = [
                *(f"{100 * hit:.1f} %" for hit in hits.values()),
                f"{100 * behind:.1f}",
                *(f"{x:.3f}" for x in off),
                _chosen(ours),
            ]
            lines.append(f"| {name} | {each} | {' | '.join(cells)} |")
    return lines


def _chosen(ours: list[Fused]) -> str:
    counts = Counter(method for one in ours for method in one.methods)
    return ", ".join(f"{method} {count}" for method, count in counts.most_common())


def anchored_lines(folder: Path, names: tuple[str, ...]) -> list[str]:
    """A table: by set and answers a task, the calibration error of all other tasks after so many anchors."""
    heads = " | ".join("without" if count == 0 else f"{count} anchors" for count in ANCHORS)
    lines = [f"| set | answers | {heads} |", "|---|---|" + "---|" * len(ANCHORS)]
    for name in names:
        crowd = read_crowd(folder, name)
        for each in ANSWERS:
            off = [
                np.mean([_off_with(crowd.some(each, seed), count, seed) for seed in range(DRAWS)]) for count in ANCHORS
            ]
            lines.append(f"| {name} | {each} | {' | '.join(f'{x:.3f}' for x in off)} |")
    return lines


def _off_with(crowd: Crowd, anchors: int, seed: int) -> float:
    drawn = np.random.default_rng(seed).permutation(len(crowd.truth))
    rest = drawn[anchors:]
    return calibration_error(fused(crowd, drawn[:anchors]).chances[rest], crowd.truth[rest])
