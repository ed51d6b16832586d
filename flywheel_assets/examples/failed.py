"""The spans of a day's failed runs as arrays: what credit is divided among, and what signs look at."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.examples.work import Flags, Index, flags, ids, latest, numbers

ORDER = ["run", "start_unix_nano", "trace_id", "span_id"]


@dataclass(frozen=True, slots=True)
class Failed:
    """Spans of failed runs in the order of their runs and starts; annotations are none of them.

    `rows` has the columns of `work`. By span: `run`, its run's place among the day's; `start` and `end` in ns;
    `parent`, the place here of the span above it in its run, -1: none; `erred`; and whether it is a `tool`'s or a
    model's (`llm`). `last_call` is the last model call right under the span, -1: none.
    """

    rows: pa.Table
    run: Index
    start: Index
    end: Index
    parent: Index
    erred: Flags
    tool: Flags
    llm: Flags
    last_call: Index

    @classmethod
    def of(cls, spans: pa.Table, examples: pa.Table) -> Self:
        """From `work` and `outcomes` of a day."""
        wrong = pc.and_(pc.equal(examples["grain"], "run"), pc.equal(examples["outcome_state"], "labeled"))
        wrong = examples["run"].filter(pc.and_(wrong, pc.less(examples["outcome"], 0.5)))
        ours = pc.and_(pc.is_in(spans["run"], wrong.combine_chunks()), pc.not_equal(spans["role"], "annotation"))
        mine = np.flatnonzero(flags(ours))
        rows = spans.take(pa.array(mine[_in_order(spans.select(ORDER).take(pa.array(mine)))]))
        run, start, end = (numbers(rows[name]) for name in ("run", "start_unix_nano", "end_unix_nano"))
        parent = numbers(pc.index_in(ids(rows, "parent_span_id"), rows["place"].combine_chunks()))
        parent = np.where(run[parent] == run, parent, -1) if len(rows) else parent
        tool, llm = (flags(pc.equal(rows["role"], role)) for role in ("tool", "llm"))
        calls = np.flatnonzero(llm & (parent >= 0))
        last_call = np.full(len(rows), -1)
        last = calls[latest(parent[calls], start[calls], rows["span_id"].take(pa.array(calls)))]
        last_call[parent[last]] = last
        erred = flags(pc.or_(pc.equal(rows["status"], "error"), pc.is_valid(rows["error_type"])))
        return cls(rows, run, start, end, parent, erred, tool, llm, last_call)

    @property
    def runs(self) -> int:
        """Places of runs are below."""
        return int(self.run.max(initial=-1)) + 1

    def by_tool(self) -> Index:
        """A number by span, the same for those of one run and tool, as far as a tool is named."""
        names = self.rows["tool_name"].combine_chunks().dictionary_encode()
        return self.run * (len(names.dictionary) + 1) + numbers(names.indices)


def _in_order(rows: pa.Table) -> Index:
    """Places of the rows in their order; ids are compared only where spans of a run start at once."""
    run, start = numbers(rows["run"]), numbers(rows["start_unix_nano"])
    order = np.lexsort((start, run))
    alike = np.flatnonzero((np.diff(run[order]) == 0) & (np.diff(start[order]) == 0))
    tied = order[np.union1d(alike, alike + 1)]
    names = np.zeros(len(rows), np.int64)
    by_name = pc.sort_indices(rows.take(pa.array(tied)), [("trace_id", "ascending"), ("span_id", "ascending")])
    names[tied[by_name.to_numpy()]] = np.arange(len(tied))
    return np.lexsort((names, start, run))
