"""Token counts as parts that do not overlap, whichever way they were reported.

OpenAI counts cached tokens among the input and reasoning among the output; Anthropic counts what it
read from and wrote to its cache beside the input, Google may count thoughts beside the output. What
tells: parts larger than their whole; the total, where it is reported; then OpenInference, whose
details are of the whole by definition; then the provider.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

ADDS_CACHE = "anthropic|claude"


def parts(columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    """`fresh_input_tokens` and `plain_output_tokens`, NULL where the whole was not reported."""
    given, answered = columns["input_tokens"], columns["output_tokens"]
    cached = _sum(columns["cache_read_tokens"], columns["cache_write_tokens"])
    reasoned = columns["reasoning_tokens"]
    if not _some(cached) and not _some(reasoned):
        return {"fresh_input_tokens": given, "plain_output_tokens": answered}
    beside_input = _beside(columns, cached, given)
    # With what was cached beside the input, a total tells of reasoning only when it is added first.
    whole = _sum(given, answered)
    added = pc.if_else(beside_input, pc.add(whole, pc.fill_null(cached, 0)), whole)
    total = columns["total_tokens"]
    beside_output = pc.or_(
        _true(pc.greater(reasoned, answered)),
        _true(pc.and_(pc.equal(total, pc.add(added, reasoned)), _some_of(reasoned))),
    )
    return {
        "fresh_input_tokens": _without(given, cached, beside_input),
        "plain_output_tokens": _without(answered, reasoned, beside_output),
    }


def _beside(columns: Mapping[str, pa.Array], cached: pa.Array, given: pa.Array) -> pa.Array:
    """Whether cached tokens are counted beside the input."""
    total, reasoned = columns["total_tokens"], pc.fill_null(columns["reasoning_tokens"], 0)
    whole = _sum(given, columns["output_tokens"])
    said = pc.and_(_some_of(cached), total.is_valid())
    within = pc.or_(pc.equal(total, whole), pc.equal(total, pc.add(whole, reasoned)))
    added = pc.add(whole, cached)
    beside = pc.or_(pc.equal(total, added), pc.equal(total, pc.add(added, reasoned)))
    usual = pc.and_(_speaks(columns, ADDS_CACHE), pc.invert(_true(pc.equal(columns["dialect"], "openinference"))))
    told = pc.if_else(_true(pc.and_(said, within)), False, pc.or_(_true(pc.and_(said, beside)), usual))
    return pc.or_(_true(pc.greater(cached, given)), told)


def _speaks(columns: Mapping[str, pa.Array], provider: str) -> pa.Array:
    first, second, third = (
        _matches(columns[name].dictionary_encode(), provider)
        for name in ("provider", "request_model", "response_model")
    )
    return pc.or_(first, pc.or_(second, third))


def _matches(texts: pa.DictionaryArray, pattern: str) -> pa.Array:
    return _true(pc.match_substring_regex(texts.dictionary, pattern, ignore_case=True).take(texts.indices))


def _sum(left: pa.Array, right: pa.Array) -> pa.Array:
    """The sum of what was reported, NULL where nothing was."""
    return pc.coalesce(pc.add(left, right), left, right)


def _without(whole: pa.Array, part: pa.Array, beside: pa.Array) -> pa.Array:
    return pc.if_else(beside, whole, pc.subtract(whole, pc.fill_null(part, 0)))


def _some(part: pa.Array) -> bool:
    return bool(pc.any(_some_of(part)).as_py())


def _some_of(part: pa.Array) -> pa.Array:
    return _true(pc.greater(part, 0))


def _true(told: pa.Array) -> pa.Array:
    return pc.fill_null(told, False)
