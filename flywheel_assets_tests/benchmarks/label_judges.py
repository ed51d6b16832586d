"""Recorded outputs of language models that were asked for the errors in a trace, taken as labelers."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from flywheel_assets.examples.fuse import fuse
from flywheel_assets.examples.named import Named, Reference, likely, probabilities
from flywheel_assets_tests.benchmarks.label_traces import Marked, Score, cut_on_others

FENCED = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)
BRACED = re.compile(r"\{.*\}", re.DOTALL)
ASIDE = "_meta_"
FOLDS = 10
ANCHORED, DRAWS = (10, 20, 40), 5


@dataclass(frozen=True, slots=True)
class Judged:
    """By variant the traces it answered on and what it marked there; by variant malformed outputs; notes aside."""

    answered: dict[str, dict[str, set[Marked]]]
    malformed: dict[str, int]
    notes: int


def read_judges(folder: Path) -> Judged:
    answered: dict[str, dict[str, set[Marked]]] = {}
    malformed, notes = Counter[str](), 0
    for row in pd.read_parquet(folder / "llm_judge_predictions.parquet").itertuples():
        if str(row.trace_id).startswith(ASIDE):
            notes += 1
            continue
        answers = answered.setdefault(str(row.variant), {})
        said = errors_of(str(row.text))
        if said is None:
            malformed[str(row.variant)] += 1
        else:
            answers[str(row.trace_id)] = {(str(row.trace_id), span, category) for span, category in said}
    return Judged(answered, malformed, notes)


def errors_of(text: str) -> set[tuple[str, str]] | None:
    """(span, category) of every error; None: not a JSON object with `errors` that all name both.

    The object may stand in a fence or between words, as models like to put it.
    """
    held = FENCED.search(text) or BRACED.search(text)
    for candidate in (text, held and (held.group(1) if held.re is FENCED else held.group())):
        try:
            answer = json.loads(candidate or "")
        except ValueError:
            continue
        errors = answer.get("errors") if isinstance(answer, dict) else None
        if not isinstance(errors, list) or not all(isinstance(one, dict) for one in errors):
            return None
        pairs = [(one.get("location"), one.get("category")) for one in errors]
        return set(pairs) if all(isinstance(word, str) and word for pair in pairs for word in pair) else None
    return None


def fused_pairs(judged: Judged) -> tuple[list[Marked], NDArray[np.float64]]:
    """Every (trace, span, category) that a variant named, and how likely it is by `fuse`.

    A variant that answered on the trace and did not name it votes against.
    """
    rows = [
        ("\t".join(pair), variant, float(pair in marked))
        for pair in sorted(
            {pair for answers in judged.answered.values() for marked in answers.values() for pair in marked}
        )
        for variant, answers in sorted(judged.answered.items())
        if (marked := answers.get(pair[0])) is not None
    ]
    example, author, value = zip(*rows, strict=True)
    size = len(rows)
    alike = {"grain": "span", "skill": "trail", "labeler": "explicit_feedback", "tier": "judge", "confidence": 0.7}
    alike |= {"decides": True, "anchor": False}
    votes = {"example_id": example, "author_id": author, "value": value}
    labels, _, _ = fuse(pa.table(votes | {name: [same] * size for name, same in alike.items()}))
    names = [name.split("\t") for name in labels.column("example_id").to_pylist()]
    return [(trace, span, category) for trace, span, category in names], labels.column("outcome").to_numpy()


@dataclass(frozen=True, slots=True)
class Found:
    """Every pair that a variant named, in order, and who named it, as `named.py` takes it; the traces by number."""

    pairs: list[Marked]
    named: Named
    traces: list[str]

    @classmethod
    def by(cls, judged: Judged) -> "Found":
        variants = [answers for _, answers in sorted(judged.answered.items())]
        said = [set().union(*answers.values()) for answers in variants]
        pairs, traces = sorted(set().union(*said)), sorted(set().union(*variants))
        names = np.array([[pair in one for pair in pairs] for one in said])
        answered = np.array([[trace in answers for trace in traces] for answers in variants])
        return cls(pairs, Named(names, answered, np.array([traces.index(pair[0]) for pair in pairs])), traces)

    def fused(self, reference: set[Marked], looked: set[str], shown: set[Marked]) -> set[Marked]:
        """What is shown of them; `reference` are people's marks, in traces that were `looked` through."""
        marked, by_signs = (np.array([pair in some for pair in self.pairs]) for some in (reference, shown))
        through = np.array([trace in looked for trace in self.traces])
        chance = probabilities(self.named, Reference(marked, through, by_signs))
        whole = {one for one in reference if one[0] in looked} if looked else shown
        kept = likely(chance, len(whole & set(self.pairs)) / max(len(whole), 1))
        return {pair for pair, keep in zip(self.pairs, kept, strict=True) if keep}


def learned_pairs(judged: Judged, pairs: list[Marked], truth: set[Marked]) -> NDArray[np.float64]:
    """How likely each pair is, from who named it and who named its span, as learned on nine tenths of other traces."""
    named = [set().union(*answers.values()) for _, answers in sorted(judged.answered.items())]
    spans = [{pair[:2] for pair in pairs_of} for pairs_of in named]
    seen = np.array([[pair in one for one in named] + [pair[:2] in one for one in spans] for pair in pairs], float)
    right, trace = np.array([pair in truth for pair in pairs]), np.array([pair[0] for pair in pairs])
    chance = np.zeros(len(pairs))
    for fold in range(FOLDS):
        mine = np.isin(trace, np.unique(trace)[fold::FOLDS])
        if mine.any():
            model = LogisticRegression(C=0.1, max_iter=500).fit(seen[~mine], right[~mine])
            chance[mine] = model.predict_proba(seen[mine])[:, 1]
    return chance


def judge_lines(judged: Judged, marked: set[Marked], shown: set[Marked]) -> list[str]:
    """A table by variant, and what fusing them comes to, on traces where any of them was asked."""
    lines = [
        "| variant | outputs | malformed | joint F1 | precision | span F1 |",
        "|---|---|---|---|---|---|",
    ]
    asked = {trace for answers in judged.answered.values() for trace in answers}
    truth = {one for one in marked if one[0] in asked}
    spans = {one[:2] for one in truth}
    for variant, answers in sorted(judged.answered.items()):
        found = {pair for pairs in answers.values() for pair in pairs}
        bad = judged.malformed[variant]
        lines.append(_line(variant, f"{len(answers) + bad} | {bad}", found, truth, spans))
    pairs, chance = fused_pairs(judged)
    total = sum(map(len, judged.answered.values())) + sum(judged.malformed.values())
    counted = f"{total} | {sum(judged.malformed.values())}"
    half = {pair for pair, one in zip(pairs, chance, strict=True) if one > 0.5}
    lines.append(_line("fused as votes, more likely than not", counted, half, truth, spans))
    found = Found.by(judged)
    by_signs = found.fused(set(), set(), {one for one in shown if one[0] in asked})
    lines.append(_line("**fused as findings, borne out by signs**", counted, by_signs, truth, spans))
    likely = learned_pairs(judged, pairs, truth)
    told = cut_on_others([pair[0] for pair in pairs], likely, np.array([pair in truth for pair in pairs]), len(truth))
    cut = {pair for pair, one in zip(pairs, told, strict=True) if one}
    lines.append(_line("with people's marks: a rule learned on other traces", counted, cut, truth, spans))
    return lines


def anchor_lines(judged: Judged, marked: set[Marked], shown: set[Marked]) -> list[str]:
    """A table: by how many traces people looked through, joint F1 on the others; means over draws."""
    found, lines = Found.by(judged), ["| traces looked through | fused | best single variant |", "|---|---|---|"]
    single = [set().union(*answers.values()) for _, answers in sorted(judged.answered.items())]
    shown = {one for one in shown if one[0] in found.traces}
    for size in (0, *ANCHORED):
        scores: list[tuple[float, float]] = []
        for seed in range(DRAWS):
            looked = set(np.random.default_rng(seed).permutation(found.traces)[:size].tolist())
            rest = {one for one in marked if one[0] in found.traces and one[0] not in looked}
            each = [found.fused(marked, looked, shown), *single]
            ours, *theirs = (Score.of((one for one in some if one[0] not in looked), rest).f1 for some in each)
            scores.append((ours, max(theirs)))
        lines.append(f"| {size} | {' | '.join(f'{x:.3f}' for x in np.mean(scores, axis=0))} |")
    return lines


def _line(name: str, counted: str, found: set[Marked], truth: set[Marked], spans: set[tuple[str, str]]) -> str:
    joint = Score.of(found, truth)
    span = Score.of({one[:2] for one in found}, spans)
    return f"| {name} | {counted} | {joint.f1:.3f} | {joint.precision:.3f} | {span.f1:.3f} |"
