"""Credit assignment: from "the run failed" to how likely each of its spans is where.

Given that a run failed, it failed in one of its spans or in none that was recorded. The odds between
them are a product of what is known of each: where in the run it is, whether an error began there and
was got over, what was said of the span itself. They are scaled so that a run's rows add up to the
probability that it failed: one failure is handed out once, however many spans show signs of it.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flywheel_assets.examples.failed import Failed
from flywheel_assets.examples.work import Flags, Index, ids, numbers
from flywheel_assets.tables.span_credit import SPAN_CREDIT

Numbers = NDArray[np.float64]
HALF = 0.5
# The first part of a span's id.
TRACE = "^(?P<trace_id>[^:]*)"
# The first mistake is the one that later ones follow from: where people marked it in recorded failures
# of several agents, it lay in the first fifth of the steps in more than a third of the cases. What a run
# does first of all is to look at its task: people marked that far less often than what it does next.
EARLIER, FIRST = 0.5, 0.2
# Tools do what they are told: people marked the model's call that told them more often.
TOOL = 0.4
ERROR, RECOVERED = 6.0, 0.5
# What no span shows, as odds against a model's call without any sign, were it not the first.
ELSEWHERE = 1.0
# Runs of thousands of spans would make thousands of rows that say nothing.
LEAST = 0.005


@dataclass(frozen=True, slots=True)
class Signs:
    """Of every span, ordered by run: its run from 0 and its place in it from 1, and what is known of it.

    `said` is the fused label of the span and `sure` its confidence; NaN where nobody spoke of it.
    """

    run: NDArray[np.int64]
    place: Numbers
    tool: NDArray[np.bool_]
    began_here: NDArray[np.bool_]
    recovered: NDArray[np.bool_]
    said: Numbers
    sure: Numbers


def shares(signs: Signs, runs: int) -> tuple[Numbers, Numbers]:
    """How the blame divides, for one failure a run: by span, and by run what is left to no span."""
    odds = signs.place**-EARLIER * np.where(signs.place > 1, 1.0, FIRST) * np.where(signs.tool, TOOL, 1.0)
    odds = odds * np.where(signs.began_here, ERROR, 1.0) * np.where(signs.recovered, RECOVERED, 1.0)
    known = ~np.isnan(signs.said)
    sure = np.clip(np.where(known, signs.sure, 0.5), 0.5, 0.999)
    # A label between good and bad tells as much as it is far from the middle.
    lean = np.where(known, 1 - 2 * np.where(known, signs.said, 0.5), 0.0)
    odds = odds * (sure / (1 - sure)) ** lean
    total = (np.bincount(signs.run, odds, runs) + ELSEWHERE).astype(np.float64)
    return odds / total[signs.run], ELSEWHERE / total


def credit(spans: Failed, runs: pa.Table, examples: pa.Table, day: date) -> pa.Table:
    """`span_credit` of the day's failed runs from their spans, `agent_runs` and `outcomes`.

    To be blamed are model and tool calls, and whatever else erred by itself or was judged.
    """
    if not len(spans.run):
        return SPAN_CREDIT.empty()
    began_here, recovered, (said, sure) = _began_here(spans), _recovered(spans), _said(spans, examples)
    judged = ~np.isnan(said)
    mine = np.flatnonzero(spans.llm | spans.tool | began_here | judged)
    names, first, run = np.unique(spans.run[mine], return_index=True, return_inverse=True)
    place = np.arange(len(mine)) - first[run] + 1
    signs = Signs(
        run, place.astype(np.float64), spans.tool[mine], began_here[mine], recovered[mine], said[mine], sure[mine]
    )
    by_span, nowhere = shares(signs, len(names))
    failed = _failed(examples, len(runs))[names]
    blame = by_span * failed[run]
    small = blame < LEAST
    shown = np.flatnonzero(~small)
    rest = np.bincount(run[small], minlength=len(names))
    elsewhere = nowhere * failed + np.bincount(run[small], blame[small], len(names))
    called = spans.rows.select(["trace_id", "span_id", "role", "name"]).take(pa.array(mine[shown]))
    nothing = {"trace_id": "-", "span_id": "-", "role": "elsewhere", "name": "-"}
    columns = {name: pa.chunked_array([*called[name].chunks, pa.repeat(nothing[name], len(names))]) for name in nothing}
    whose = np.append(run[shown], np.arange(len(names)))
    columns |= {name: runs[name].take(pa.array(names[whose])) for name in ("run_id", "skill")}
    columns |= {
        "place": pa.array(np.append(place[shown], np.zeros(len(names), np.int64))),
        "blame": pa.array(np.append(blame[shown], elsewhere)),
        "failed": pa.array(failed[whose]),
        "reason": pa.chunked_array([_reasons(signs, shown), _left_out(rest)]),
        "day": pa.repeat(pa.scalar(day, pa.date32()), len(whose)),
    }
    order = np.lexsort((columns["place"].to_numpy(), whose))
    return SPAN_CREDIT.conform(pa.table(columns).take(pa.array(order)))


def _failed(examples: pa.Table, runs: int) -> Numbers:
    """By run how likely it failed, as far as it has a label."""
    whole = examples.filter(pc.equal(examples["grain"], "run"))
    outcome, sure, place = (whole[name].to_numpy() for name in ("outcome", "confidence", "run"))
    found = np.full(runs, np.nan)
    found[place] = np.minimum(1 - outcome, sure)
    return found


def _began_here(spans: Failed) -> Flags:
    """Spans in which an error began.

    One that a span below has too is that span's: passed on, it is the same error. One of a step that calls a
    model, and of nothing below it, is the last call's: the step did what that said.
    """
    passed_on = np.zeros(len(spans.run), np.bool_)
    passed_on[spans.parent[spans.erred & (spans.parent >= 0)]] = True
    own = spans.erred & ~passed_on
    handing_down = own & ~spans.llm & ~spans.tool & (spans.last_call >= 0)
    own &= ~handing_down
    own[spans.last_call[handing_down]] = True
    return own


def _recovered(spans: Failed) -> Flags:
    """Failed calls of a tool that worked later in the run."""
    named = spans.tool & pc.is_valid(spans.rows["tool_name"]).to_numpy()
    _, pair = np.unique(spans.by_tool(), return_inverse=True)
    worked = np.full(len(pair), np.iinfo(np.int64).min)
    which = named & ~spans.erred
    np.maximum.at(worked, pair[which], spans.start[which])
    return named & spans.erred & (worked[pair] > spans.start)


def _said(spans: Failed, examples: pa.Table) -> tuple[Numbers, Numbers]:
    """What was said of each span, fused, and how sure that is; NaN: nothing."""
    outcome, sure = np.full(len(spans.run), np.nan), np.full(len(spans.run), np.nan)
    told = examples.filter(pc.and_(pc.equal(examples["grain"], "span"), pc.equal(examples["outcome_state"], "labeled")))
    if len(told):
        trace = pc.struct_field(pc.extract_regex(told["example_id"], TRACE), "trace_id")
        place = numbers(pc.index_in(ids(told.append_column("trace_id", trace)), spans.rows["place"].combine_chunks()))
        here = (place >= 0) & (spans.run[place] == numbers(told["run"]))
        for found, name in ((outcome, "outcome"), (sure, "confidence")):
            found[place[here]] = told[name].to_numpy()[here]
    return outcome, sure


def _reasons(signs: Signs, shown: Index) -> pa.Array:
    """In words what speaks for and against each span that is shown."""
    said, sure = signs.said[shown], np.floor(signs.sure[shown] * 100 + 0.5) / 100
    words = np.where(said < HALF, "bad", np.where(said > HALF, "good", ""))
    labelled = [f"labelled {word}, {much} sure" if word else None for word, much in zip(words, sure, strict=True)]
    place = pa.array(signs.place[shown].astype(np.int64)).cast(pa.string())
    number = pc.binary_join_element_wise("number ", place, " of its run", "")
    unknown = ~signs.began_here[shown] & np.isnan(said)
    return pc.binary_join_element_wise(
        _where(signs.began_here[shown], "an error began here"),
        _where(signs.recovered[shown], "the same tool worked later"),
        pa.array(labelled, pa.string()),
        _where(unknown, number),
        "; ",
        null_handling="skip",
    )


def _where(which: Flags, text: str | pa.Array) -> pa.Array:
    return pc.if_else(pa.array(which), text, pa.scalar(None, pa.string()))


def _left_out(spans: Index) -> pa.Array:
    more = [f"; and {count} with too little for a row" if count else "" for count in spans.tolist()]
    return pa.array([f"in no recorded span{text}" for text in more], pa.string())
