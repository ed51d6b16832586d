"""Any attribute value that JSON can hold comes out as it went in, whichever form and reader it took."""

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = st.one_of(
    TEXT, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6
)
KEYS = TEXT.filter(lambda key: not key.startswith("process.command"))
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=6)


def typed(plain):
    """Values with their types, which Python's equality does not tell apart (1, 1.0, True)."""
    if isinstance(plain, dict):
        return {key: typed(one) for key, one in plain.items()}
    if isinstance(plain, list):
        return [typed(one) for one in plain]
    return (type(plain).__name__, plain)


def kept(row):
    scalars = [pair for name in ("attr_text", "attr_int", "attr_double", "attr_bool") for pair in row[name]]
    return dict(scalars) | {key: orjson.loads(text) for key, text in row["attr_json"]}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(carried=st.lists(ATTRIBUTES, min_size=1, max_size=4))
def test_values_come_out_as_they_went_in(otlp, carried):
    spans = [
        otlp.span(number, plain, events=[{"timeUnixNano": "1", "name": "e", "attributes": otlp.attributes(plain)}])
        for number, plain in enumerate(carried, start=1)
    ]
    for form in ("json", "protobuf"):
        rows = otlp.rows(otlp.batch(otlp.request(spans), form))
        assert [typed(kept(row)) for row in rows] == [typed(plain) for plain in carried]
        events = [orjson.loads(row["events"][0]["attributes_json"]) for row in rows]
        assert [typed(plain) for plain in events] == [typed(plain) for plain in carried]


def test_a_span_with_annotations_is_marked(otlp):
    keys = ["annotations.0.annotation.name", "session.annotations.1.annotation.score", "evaluations.0.evaluation.name"]
    others = ["annotation", "my.evaluations.0", "gen_ai.evaluation.name"]
    spans = [otlp.span(number, {key: "x", "a": 1}) for number, key in enumerate([*keys, *others], start=1)]
    for form in ("json", "protobuf"):
        rows = otlp.rows(otlp.batch(otlp.request([*spans, otlp.span(9, {})]), form))
        assert [row["annotated"] for row in rows] == [True] * 3 + [False] * 4
