"""How good labels are without a model, on recorded data in which people said what was true.

    python -m flywheel_assets_tests.benchmarks.labels DATA > docs/labels.md

DATA is the folder of public data sets. Two runs of the command write the same page.
"""

import argparse
from pathlib import Path

from flywheel_assets_tests.benchmarks.label_crowd import DRAWS, anchored_lines, crowd_lines
from flywheel_assets_tests.benchmarks.label_days import ANCHORS, TASKS, day_lines
from flywheel_assets_tests.benchmarks.label_days import DRAWS as DAY_DRAWS
from flywheel_assets_tests.benchmarks.label_judges import anchor_lines, judge_lines, read_judges
from flywheel_assets_tests.benchmarks.label_noise import DRAWS as NOISE_DRAWS
from flywheel_assets_tests.benchmarks.label_noise import RUNS, noise_lines
from flywheel_assets_tests.benchmarks.label_steps import read_failures, read_steps, step_lines
from flywheel_assets_tests.benchmarks.label_traces import (
    SECOND_CALL,
    Marked,
    Row,
    Score,
    blamed,
    read_marked,
    read_traces,
    second_call,
    sources,
    told_by_others,
)

SETS = ("snow_rte", "snow_wsd")
CROWD = """\
# Labels, against what people said

Written by `python -m flywheel_assets_tests.benchmarks.labels DATA`, on the half of each data set that was there to
build with. No model is asked. What was tuned on this half (the odds in `examples/credit.py`) may do worse on another.

## Several people's answers

Crowd workers' answers with experts' truth; so many answers a task at most, drawn {draws} times. *Fused* is what the
wheel does (`examples/fusion/choose.py`): of the majority, one accuracy a worker, Dawid–Skene and GLAD it takes what
foretells best a vote that was left out; *chosen* counts the draws (and of three answers, each as yes or no). Aims: at
most half a point behind the better of the other two, and confidence off by .05 at most. *Off by* is the mean gap
between confidence and accuracy; the majority's confidence is its share of the votes. How much GLAD's examples differ in
ease was chosen on this half.
"""
ANCHORED = """
With one answer a task nothing tells how good the workers are: any accuracy explains such votes as well as any other, so
that no rule could be right about both sets. A label keeps the confidence that a person's word has (.9, `stated`), which
is .16 too much for one set and .08 too little for the other. There, ask twice, or ask people about a random sample: its
answers put the confidence of all other labels right. *Off by*, over the tasks that are no anchors:
"""
CROWD_SAYS = """
From 20 anchors on they correct; where votes alone were calibrated, they can but add noise, which is why they are drawn
towards no correction.
"""
DAYS = """\
The same where nobody answers much: {tasks} tasks a day, {anchors} of them anchors, {draws} draws. What was answered on
the days before counts (`anchored_opinions`, four weeks), and nothing else of them:
"""
BLAME = """\
## Which span, and what kind of error

{traces} traces of coding and research agents, {marked} errors marked by people, each with its span and one of {kinds}
kinds; several may be on one span. Nothing is told but that each run failed. Micro averages over all traces; *joint* is
span and kind. Known from other work on all traces of one of the two sources: the second model call, always
"{second}", joint F1 .095; Gemini 2.5 Flash .134, its best variant .159.
"""
SIGNS_SAY = """
By sign (a rule in `examples/signs/`, with its reason). No number in a rule is fitted by a program, but this half is no
fair test of them: the rules were written by people who had read its marks, and how likely a finding by a sign is said
to be was read off it too:
"""
BLAME_SAYS = """
Learned kinds: those that people marked on *other* traces where the place of the span was the same (kind of agent and of
work, error or none, place in the run), from the likelihood on that serves those traces best. No trace teaches about
itself, but people were needed: the models above had none, and neither have the signs.
"""
JUDGES = """\
## Recorded judges as labelers

Outputs of language models that were asked for the errors of the same traces, each variant an author. An output that is
no JSON object with `errors`, each with a span and a kind, is malformed: set aside and counted. {notes} more records are
notes about an output and no outputs. F1 is over all traces that any variant was asked about, malformed or not.
"""
JUDGES_SAYS = """
By their agreement alone judges are not to be believed here: many variants are one model in other words, and agree in
what they get wrong. Taken as findings (`examples/named.py`), variants that agree like one author are one voice, and a
voice is believed as far as signs bear it out, which no model had a part in; as many pairs are shown as make the
expected F1 greatest. Where people have looked through ten traces or more, their marks take the place of the signs; the
best single variant is chosen with hindsight, on the traces that are scored:
"""
STEPS = """\
## Which agent, and which step

Failed runs of several agents in which people marked the agent and the step (from 0) that decided it. Known from other
work on all of them: always step 1, 27.0 % of the steps; GPT-4o 25.5 %. Two teams of people agreed on the agent in
60.5 % and on the step in 34.9 %. The wheel's margin over the position is a few runs: it is no proof.
"""
FAILURES = """
The same in another set of failed runs: retail agents with tools and a user whom a model plays, and several agents on
the web, some of which may be runs of the first set, marked by others. People marked all failures and their root cause,
which lies late in most: the rule, which looks early, finds none of them. How far blame is right hangs on the kind of
run. *Step 0* and *step 1* are the first and the second message.
"""


NOISE = """
## Labels that do not fit their runs

Confident learning (`examples/noise.py`) in made-up runs, {runs} a draw and {draws} draws: three signs of a run, two of
which tell something of its outcome, and a share of labels turned round. The last column is how many labels are judged
as by the authors' code (`cleanlab`) from the same probabilities. Runs that are truly unusual are suspects too: they
lose weight, keep their label, and wait in `label_suspects` for people.
"""


def page(data: Path) -> str:
    marked = read_marked(data / "trail")
    rows, findings = blamed(read_traces(data / "trail"))
    parts = sources(data / "trail")
    judged = read_judges(data / "trail")
    told = {
        "traces": len({row["trace_id"] for row in rows}),
        "marked": len(marked),
        "kinds": len({kind for _, _, kind in marked}),
        "second": SECOND_CALL,
    }
    return "\n".join(
        [
            CROWD.format(draws=DRAWS),
            *crowd_lines(data / "crowd", SETS),
            ANCHORED,
            *anchored_lines(data / "crowd", SETS),
            CROWD_SAYS,
            DAYS.format(tasks=TASKS, anchors=ANCHORS, draws=DAY_DRAWS),
            *day_lines(data / "crowd", SETS, (1, 3)),
            "",
            BLAME.format(**told),
            *blame_lines(rows, findings, marked, parts),
            SIGNS_SAY,
            *sign_lines(findings, marked),
            BLAME_SAYS,
            JUDGES.format(notes=judged.notes),
            *judge_lines(judged, marked, pairs(findings)),
            JUDGES_SAYS,
            *anchor_lines(judged, marked, pairs(findings)),
            "",
            STEPS,
            *step_lines(*read_steps(data / "whowhen")),
            FAILURES,
            *step_lines(*read_failures(data / "agentrx")),
            NOISE.format(runs=RUNS, draws=NOISE_DRAWS),
            *noise_lines(),
        ]
    )


def blame_lines(rows: list[Row], findings: list[Row], marked: set[Marked], parts: dict[str, str]) -> list[str]:
    """A table: rules that name spans, and rules that name kinds too."""
    names = sorted(set(parts.values()))
    columns = ["rule", "pairs named", "joint F1", *names, "precision", "recall", "span F1", "span precision"]
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    spans = {one[:2] for one in marked}
    rules = {"reference: the second model call, always one kind": second_call(rows)}
    for most in (1, 2, 3, 5):
        rules[f"`span_credit`: the {most} with most blame, always that kind"] = _most_blamed(rows, most)
    rules["**`span_findings`: every kind of which there is a sign**"] = pairs(findings)
    rules["with people's marks: `span_credit`, learned kinds"] = told_by_others(rows, marked)
    for rule, found in rules.items():
        joint, span = Score.of(found, marked), Score.of({one[:2] for one in found}, spans)
        each = (
            Score.of((one for one in found if parts[one[0]] == name), (one for one in marked if parts[one[0]] == name))
            for name in names
        )
        told = (joint.f1, *(part.f1 for part in each), joint.precision, joint.recall, span.f1, span.precision)
        lines.append(f"| {rule} | {joint.found} | {' | '.join(f'{x:.3f}' for x in told)} |")
    return lines


def sign_lines(findings: list[Row], marked: set[Marked]) -> list[str]:
    """A table: by sign and kind how often people marked the same."""
    lines = ["| sign | kind | named | precision | of all such marks |", "|---|---|---|---|---|"]
    for sign, kind in sorted({(row["author_id"], row["kind"]) for row in findings}):
        found = pairs([row for row in findings if (row["author_id"], row["kind"]) == (sign, kind)])
        score = Score.of(found, (one for one in marked if one[2] == kind))
        lines.append(f"| `{sign}` | {kind} | {score.found} | {score.precision:.3f} | {score.recall:.3f} |")
    return lines


def pairs(findings: list[Row]) -> set[Marked]:
    return {(row["trace_id"], row["span_id"], row["kind"]) for row in findings}


def _most_blamed(rows: list[Row], most: int) -> set[Marked]:
    ranked: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (-row["blame"], row["place"])):
        ranked.setdefault(row["run_id"], []).append(row)
    return {(row["trace_id"], row["span_id"], SECOND_CALL) for some in ranked.values() for row in some[:most]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    print(page(parser.parse_args().data))


if __name__ == "__main__":
    main()
