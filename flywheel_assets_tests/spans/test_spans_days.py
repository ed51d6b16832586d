"""A day's rows: the right spans, each once, whatever the order, the splitting and the repetition of batches."""

import random
from datetime import timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flywheel_assets.lake.fingerprint import fingerprint
from flywheel_assets.lake.lake import Lake
from flywheel_assets.spans import passage
from flywheel_assets.tables.raw_spans import RAW_SPANS

HOUR = 3600 * 10**9
NOON = 12 * HOUR


@pytest.mark.parametrize(
    ("since_midnight", "kept"),
    [(0, True), (24 * HOUR - 1, True), (-1, False), (24 * HOUR, False), (-30 * HOUR, False)],
)
@pytest.mark.parametrize("form", ["json", "protobuf"])
def test_a_span_belongs_to_the_day_on_which_it_starts(otlp, form, since_midnight, kept):
    at = str(otlp.start - NOON + since_midnight)
    decoded = otlp.decode([otlp.batch(otlp.request([otlp.span(1, startTimeUnixNano=at)]), form)], otlp.day)
    assert decoded.rows.read_all().num_rows == decoded.counts.rows == int(kept)
    assert decoded.counts.other_days == int(not kept)


@pytest.mark.parametrize(
    "fields",
    [
        {"traceId": ""},
        {"traceId": "0" * 32},
        {"traceId": "12" * 15},
        {"traceId": "zz" * 16},
        {"spanId": "0" * 16},
        {"spanId": "12" * 16},
        {"spanId": None},
    ],
)
@pytest.mark.parametrize("form", ["json", "protobuf"])
def test_spans_without_usable_ids_are_set_aside(otlp, form, fields):
    batch = otlp.batch(otlp.request([otlp.span(1, **fields), otlp.span(2)]), form)
    decoded = otlp.decode([batch], otlp.day)
    assert [row["span_id"] for row in decoded.rows.read_all().to_pylist()] == [f"{2:016x}"]
    assert (decoded.counts.rows, decoded.counts.set_aside) == (1, 1)


@pytest.mark.parametrize("at", ["", "0", "-5", "soon", None])
def test_spans_without_a_time_are_of_no_day(otlp, at):
    decoded = otlp.decode([otlp.batch(otlp.request([otlp.span(1, startTimeUnixNano=at), otlp.span(2)]))], otlp.day)
    assert decoded.rows.read_all().num_rows == 1
    assert decoded.counts.other_days == 1


def test_zeros_that_reach_over_two_ids_are_no_zero_id(otlp):
    spans = [otlp.span(1, traceId="1" + "0" * 31), otlp.span(2, traceId="0" * 31 + "2", spanId="3" + "0" * 15)]
    assert len(otlp.rows(otlp.batch(otlp.request(spans)))) == 2


def test_of_several_copies_the_most_complete_is_kept(otlp):
    begun = otlp.span(1, {"at": "begun"}, endTimeUnixNano="0")
    early = otlp.span(1, {"at": "early"}, endTimeUnixNano=str(otlp.start + 10))
    late = otlp.span(1, {"at": "late"}, endTimeUnixNano=str(otlp.start + 20))
    for order in ([begun, early, late], [late, early, begun], [early, late, begun]):
        (row,) = otlp.rows(*(otlp.batch(otlp.request([span])) for span in order))
        assert dict(row["attr_text"]) == {"at": "late"}


def test_equally_complete_copies_are_chosen_between_in_one_fixed_way(otlp):
    batches = [otlp.batch(otlp.request([otlp.span(1, {"said": word})])) for word in ("one", "two", "three")]
    chosen = {str(otlp.rows(*order)) for order in (batches, batches[::-1], [batches[1], batches[0], batches[2]])}
    assert len(chosen) == 1


def test_identical_copies_name_the_least_batch(otlp):
    batches = [
        otlp.batch(otlp.request([otlp.span(1), otlp.span(n)]), form) for n in (2, 3) for form in ("json", "protobuf")
    ]
    rows = otlp.rows(*batches)
    assert rows[0]["batch_id"] == min(batch.batch_id for batch in batches)
    assert len(rows) == 3


def test_the_same_span_id_in_two_traces_is_two_spans(otlp):
    spans = [otlp.span(1), otlp.span(1, traceId="ab" * 16)]
    assert len(otlp.rows(otlp.batch(otlp.request(spans)))) == 2


def pool(otlp):
    """Spans of two days in many states: whole, begun, repeated, spoilt, in both forms."""
    spans = []
    for number in range(1, 25):
        plain = {"n": number, "gen_ai.operation.name": "chat", "list": ["x", number]}
        if number % 5 == 0:
            plain["map"] = {"deep": [number]}
        spans.append(otlp.span(number, plain))
        if number % 3 == 0:
            spans.append(otlp.span(number, {"n": number}, endTimeUnixNano="0"))
        if number % 4 == 0:
            spans.append(otlp.span(number, plain | {"later": True}, endTimeUnixNano=str(otlp.start + 10**9)))
        if number % 7 == 0:
            spans.append(otlp.span(number + 100, plain, startTimeUnixNano=str(otlp.start + 24 * HOUR)))
    return [*spans, otlp.span(50, spanId="0" * 16)]


def decoded(otlp, batches):
    found = otlp.decode(batches, otlp.day)
    rows = found.rows.read_all()
    held = sum(
        len(scoped["spans"]) for batch in {b.batch_id: b for b in batches}.values() for scoped in SCOPES[batch.batch_id]
    )
    counts = found.counts
    assert counts.rows + counts.duplicates + counts.other_days + counts.set_aside == held
    assert counts.rows == len(rows)
    return rows.drop_columns(["batch_id"])


SCOPES: dict[str, list[dict]] = {}


def batch_of(otlp, spans, form):
    document = otlp.request(spans)
    made = otlp.batch(document, form)
    SCOPES[made.batch_id] = document["resourceSpans"][0]["scopeSpans"]
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_order_splitting_and_repetition_change_nothing(otlp, data, monkeypatch):
    monkeypatch.setattr(passage, "CHUNK_BYTES", data.draw(st.sampled_from([1, 3000, 10**6])))
    monkeypatch.setattr(passage, "HELD_BYTES", data.draw(st.sampled_from([0, 5000, 10**9])))
    spans = pool(otlp)
    expected = fingerprint(decoded(otlp, [batch_of(otlp, spans, "json")]))
    mixed = spans + data.draw(st.lists(st.sampled_from(spans), max_size=20))
    random.Random(data.draw(st.integers(0, 2**32))).shuffle(mixed)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(mixed)), max_size=6)))
    parts = [mixed[a:b] for a, b in zip([0, *cuts], [*cuts, len(mixed)], strict=True) if a < b]
    batches = [batch_of(otlp, part, data.draw(st.sampled_from(["json", "protobuf"]))) for part in parts]
    batches += data.draw(st.lists(st.sampled_from(batches), max_size=3))
    found = decoded(otlp, batches)
    assert fingerprint(found) == expected
    assert found.num_rows == 24


def test_the_fingerprint_is_of_the_set_of_batches(otlp):
    one, two = (otlp.batch(otlp.request([otlp.span(number)])) for number in (1, 2))
    contents = [otlp.decode(batches, otlp.day).content for batches in ([one, two], [two, one, one], [one])]
    assert contents[0] == contents[1] != contents[2]
    assert all(int(content, 16) < 2**60 for content in contents)


def test_batches_may_come_from_a_list_an_iterator_or_a_function(otlp):
    batches = [otlp.batch(otlp.request([otlp.span(number), otlp.span(1)])) for number in (2, 3)]
    for given_as in (batches, iter(batches), lambda: iter(batches)):
        assert otlp.decode(given_as, otlp.day).rows.read_all().num_rows == 3


def test_a_day_without_batches_has_no_rows(otlp):
    decoded = otlp.decode([], otlp.day)
    assert decoded.rows.read_all() == RAW_SPANS.empty()


def test_rows_stream_into_the_lake_and_come_back(otlp, tmp_path):
    lake = Lake(str(tmp_path))
    spans = [otlp.span(number, {"n": number, "t": "x", "l": [1]}) for number in range(1, 50)]
    batches = [otlp.batch(otlp.request(spans[:30])), otlp.batch(otlp.request(spans[20:]), "protobuf")]
    found = otlp.decode(batches, otlp.day)
    written = lake.overwrite(RAW_SPANS, found.parts, otlp.day, content=found.content)
    assert (written.rows, found.counts.rows, found.counts.duplicates) == (49, 49, 10)
    back = lake.read(RAW_SPANS, [otlp.day])
    again = pa.Table.from_batches(otlp.decode(batches, otlp.day).rows, RAW_SPANS.schema)
    assert fingerprint(back) == fingerprint(again)
    assert lake.days(RAW_SPANS) == [otlp.day]
    assert otlp.day + timedelta(days=1) not in lake.days(RAW_SPANS)
