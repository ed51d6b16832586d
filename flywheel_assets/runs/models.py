"""Which model did a run's work, and which were tried before it."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.runs.near import codes
from flywheel_assets.runs.sums import Parts


def models(parts: Parts) -> dict[str, pa.Array]:
    """`work_model`: did most of a run's work, one that answered before one that only failed over to it.

    `failed_models`: those of a run that only failed, in order.
    """
    runs, near = parts.runs, parts.runs.spans
    calls = np.flatnonzero(parts.call & (runs.run >= 0) & near.known("model"))
    named = near.values("model", calls).dictionary_encode()
    names = named.dictionary
    tried, first, of = np.unique(runs.run[calls] * len(names) + codes(named), return_index=True, return_inverse=True)
    run, model = tried // max(len(names), 1), tried % max(len(names), 1)
    tokens, served = np.zeros(len(tried), np.int64), np.zeros(len(tried), np.bool_)
    np.add.at(tokens, of, (near.numbers("input_tokens") + near.numbers("output_tokens"))[calls])
    served[of[~near.equal("status", "error")[calls]]] = True
    name = pc.rank(names, tiebreaker="first").to_numpy()[model]
    # Of what is written to one place the last stays: here the greatest.
    best = np.lexsort((name, np.bincount(of, minlength=len(tried)), tokens, served, run))
    worked = np.full(len(runs.root), -1)
    worked[run[best]] = model[best]
    failed = np.flatnonzero(~served)
    failed = failed[np.lexsort((first[failed], run[failed]))]
    ends = np.cumsum(np.bincount(run[failed], minlength=len(runs.root)))
    return {
        "work_model": names.take(pa.array(worked, mask=worked < 0)),
        "failed_models": pa.ListArray.from_arrays(np.append(0, ends), names.take(pa.array(model[failed]))),
    }
