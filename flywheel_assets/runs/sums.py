"""What a run's spans say of it, one row per run: sums over them, and the spans that have a say in something."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flywheel_assets.runs.grouped import Grouped, either
from flywheel_assets.runs.members import Members, run_ids
from flywheel_assets.runs.near import Near, codes
from flywheel_assets.runs.place import Window
from flywheel_assets.runs.script import prepare
from flywheel_assets.runs.tree import Flag, Index, distinct, numbered
from flywheel_assets.runs.units import registry

# What says that the client decided, and what it wrote then: together, from one span.
CHOICE = ("decision_id", "arm", "experiment_id", "policy_id")
CHOSEN = ["decision_id", "policy_id", "experiment_id", "arm", "segment", "propensity", "unit_id", "candidate_set"]
# What a call's price depends on.
PRICED = [
    "provider",
    "model",
    "day",
    "input_tokens",
    "output_tokens",
    "fresh_input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "plain_output_tokens",
    "reasoning_tokens",
]
# Names that the root's columns go by.
ROOT = {
    "trace_id": "trace_id",
    "root_span_id": "span_id",
    "root_name": "name",
    "runtime": "runtime",
    "root_status": "status",
    "root_error_type": "error_type",
    "root_duration_ns": "duration_ns",
}


@dataclass(frozen=True, slots=True)
class Parts:
    """The spans that runs are summed from, and which of them are what.

    By run: `ids`, what it is known by; `start`, its first span; `spans`, how many it has with copies. By span:
    `said`, no annotation; `model`, model spans, and `call`, the outermost of them, without those that never ran.
    """

    runs: Grouped
    root: Flag
    trace: Index
    said: Flag
    own: Flag
    call: Flag
    model: Flag
    tool: Flag
    never_ran: Flag
    attempt: Index
    ids: pa.Array
    start: Index
    spans: Index

    @classmethod
    def of(cls, near: Near, window: Window, members: Members, idle: Flag) -> "Parts":
        """Those of the runs that have their row with the day, numbered in order of their ids."""
        root = distinct(members.run, len(near))
        ids = run_ids(near, root)
        order = pc.sort_indices(ids)
        root = root[order.to_numpy()]
        number = numbered(root, len(near))
        run = number[members.run]
        said = ~members.annotation
        return cls(
            runs=Grouped(near, np.where(members.copy, -1, run), root),
            ids=ids.take(order),
            start=members.first[root],
            spans=np.bincount(run[run >= 0], minlength=len(root)),
            root=number[:-1] >= 0,
            trace=window.trace,
            said=said,
            own=members.own,
            call=members.call & ~idle,
            model=near.equal("operation", "llm") & said & ~idle,
            tool=near.equal("operation", "tool") & said,
            never_ran=idle,
            attempt=members.attempt,
        )


def sums(con: duckdb.DuckDBPyConnection, parts: Parts) -> dict[str, pa.Array]:
    """One entry per run in every column, in order of their numbers."""
    columns = {"run": pa.array(np.arange(len(parts.runs.root))), "run_id": parts.ids}
    return columns | _names(parts) | _costs(con, parts) | _ends(parts) | _counts(parts)


def _names(parts: Parts) -> dict[str, pa.Array]:
    runs, near, said = parts.runs, parts.runs.spans, parts.said
    decided = chosen(parts)
    return {
        "durable": pa.array(near.equal("runtime", *registry.DURABLE)[runs.root]),
        "start_time": near.values("start_time", parts.start),
        **{name: near.values(column, runs.root) for name, column in ROOT.items()},
        **{name: near.values(name, decided) for name in CHOSEN},
        "session_id": runs.first("session_id"),
        "user_id": runs.first("user_id"),
        "service_name": runs.first("service_name"),
        "agent_name": runs.first("agent_name", said),
        "workflow_name": runs.first("workflow_name", said),
        "target": runs.first("invocation_target", parts.own),
        "prompt_version": runs.first("prompt_version", said),
        "any_model": runs.first("model", said & ~parts.never_ran),
        "skill_name": runs.first("skill_name", said),
        "keep_prob": runs.first("keep_prob"),
    }


def chosen(parts: Parts) -> Index:
    """The span that says which arm was decided on."""
    return parts.runs.foremost(parts.said & np.logical_or.reduce([parts.runs.spans.known(name) for name in CHOICE]))


def _costs(con: duckdb.DuckDBPyConnection, parts: Parts) -> dict[str, pa.Array]:
    runs, near = parts.runs, parts.runs.spans
    stated, tokens = near.known("cost_usd"), near.known("input_tokens") | near.known("output_tokens")
    unstated = parts.call & ~stated & tokens
    usd = np.where(stated, near.numbers("cost_usd"), _priced(con, near, unstated & (runs.run >= 0)))
    priced = unstated & ~np.isnan(usd)
    return {
        "stated_usd": _of_calls(parts, "cost_usd"),
        "stated_calls": pa.array(runs.count(parts.call & stated)),
        "unpriced_calls": pa.array(runs.count(unstated & ~priced)),
        "priced_calls": pa.array(runs.count(priced)),
        "computed_usd": runs.total(usd, parts.call & ~np.isnan(usd)),
        "input_tokens": _of_calls(parts, "input_tokens"),
        "output_tokens": _of_calls(parts, "output_tokens"),
    }


def _of_calls(parts: Parts, name: str) -> pa.Array:
    """Of all calls together; else what the root says; else of all model spans; else the most that any span says."""
    runs, values, known = parts.runs, parts.runs.spans.numbers(name), parts.runs.spans.known(name)
    return pc.coalesce(
        runs.total(values, known & parts.call),
        runs.greatest(values, known & parts.root),
        runs.total(values, known & parts.model),
        runs.greatest(values, known),
    )


def _priced(con: duckdb.DuckDBPyConnection, near: Near, calls: Flag) -> NDArray[np.float64]:
    """What calls cost by the price table, NaN where no price fits."""
    usd = np.full(len(near), np.nan)
    spans = np.flatnonzero(calls)
    if con.execute("SELECT count(*) FROM prices").fetchall()[0][0] and len(spans):
        calls = near.select(PRICED, spans).append_column("span", pa.array(spans))
        found = con.execute(prepare(con, "priced", {"calls": calls})).to_arrow_table()
        usd[found["span"].to_numpy()] = found["usd"].to_numpy()
    return usd


def _ends(parts: Parts) -> dict[str, pa.Array]:
    runs, near, own = parts.runs, parts.runs.spans, parts.own
    # An end counts before 'open', what was answered when it was asked before what came by itself, then the last.
    states, ended, answered = near.known("states") & own, ~near.equal("states", "open"), near.flags("answered")
    declared = either(*(runs.latest(states & which) for which in (ended & answered, ended, answered, own)))
    end, has_end = near.numbers("start_unix_nano") + near.numbers("duration_ns"), near.known("duration_ns")
    return {
        "stated": near.values("states", declared),
        "runtime_status": near.values("runtime_status", declared),
        "last_sign_ns": runs.greatest(end, near.known("start_unix_nano")),
        "whole_duration_ns": pc.subtract(
            runs.greatest(end, has_end & own), near.values("start_unix_nano", runs.earliest(own))
        ),
        "stated_error": runs.last("error_type", near.equal("states", "error") | parts.root),
        "last_error": runs.last("error_type", parts.said),
        "finish_reason": runs.last("finish_reason", parts.call),
    }


def _counts(parts: Parts) -> dict[str, pa.Array]:
    runs, near = parts.runs, parts.runs.spans
    failed = near.equal("status", "error") | near.known("error_type")
    attempts = runs.greatest(parts.attempt, parts.own & ~parts.never_ran)
    return {
        "spans": pa.array(parts.spans),
        "traces": pa.array(runs.distinct(parts.trace)),
        "attempts": pc.max_element_wise(attempts, 1),
        "attempts_never_ran": pa.array(runs.count(parts.never_ran)),
        "llm_calls": pa.array(runs.count(parts.call)),
        "tool_calls": pa.array(runs.count(parts.tool)),
        "tool_errors": pa.array(runs.count(parts.tool & failed)),
        "failed_steps": pa.array(_failed_steps(parts)),
    }


def _failed_steps(parts: Parts) -> Index:
    """How many steps of Inngest functions failed in their last attempt."""
    runs, near = parts.runs, parts.runs.spans
    tried = np.flatnonzero(parts.own & (runs.run >= 0) & near.equal("runtime", "inngest") & near.known("step_id"))
    tried = tried[np.argsort(parts.attempt[tried], kind="stable")[::-1]]
    steps = near.values("step_id", tried).dictionary_encode()
    _, last = np.unique(runs.run[tried] * len(steps.dictionary) + codes(steps), return_index=True)
    failed = tried[last][near.equal("status", "error")[tried[last]]]
    return np.bincount(runs.run[failed], minlength=len(runs.root))
