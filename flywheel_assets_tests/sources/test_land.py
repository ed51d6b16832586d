"""Landing: every complete batch once, whatever its file does meanwhile."""

import gzip
import json
from datetime import date

import pytest
import zstandard

from flywheel_assets.sources.batches import read_batches
from flywheel_assets.sources.spool import Spool
from flywheel_assets.tables.span_rejections import SPAN_REJECTIONS

DAY = date(2026, 11, 18)


def landed(place) -> list[bytes]:
    return sorted(batch.payload for batch in read_batches(place.lake, place.landing, DAY))


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("traces.binpb", lambda p: p.frames(p.protobuf(0), p.protobuf(1))),
        ("traces.binpb.gz", lambda p: gzip.compress(p.frames(p.protobuf(0), p.protobuf(1)))),
        ("traces.binpb.zst", lambda p: zstandard.compress(p.frames(p.protobuf(0), p.protobuf(1)))),
        ("two-members.gz", lambda p: gzip.compress(p.frames(p.protobuf(0))) + gzip.compress(p.frames(p.protobuf(1)))),
        ("collector-zstd", lambda p: p.frames(*(zstandard.compress(p.protobuf(number)) for number in (0, 1)))),
        ("traces.jsonl", lambda p: p.lines(p.json(0), p.json(1))),
        ("no-last-line-feed.json", lambda p: p.json(0) + b"\r\n" + p.json(1)),
        ("traces.jsonl.gz", lambda p: gzip.compress(p.lines(p.json(0), p.json(1)))),
        ("traces.jsonl.zst", lambda p: zstandard.compress(p.lines(p.json(0), p.json(1)))),
        ("collector-json-zstd", lambda p: p.frames(*(zstandard.compress(p.json(number)) for number in (0, 1)))),
    ],
)
def test_every_form_on_disk_lands_batch_by_batch(place, payloads, name: str, pack) -> None:
    folder = place.inbox / "some" / "folder"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(pack(payloads))
    found = place.land()
    assert (found.files, found.accepted, found.spans, found.rejected) == (1, 2, 4, 0)
    assert landed(place) in (
        sorted([payloads.protobuf(0), payloads.protobuf(1)]),
        sorted([payloads.json(0), payloads.json(1)]),
    )
    assert place.land().accepted == 0
    assert [row[:2] for row in place.rows("ordinal", "source", "file")] == [(0, "files"), (1, "files")]


@pytest.mark.parametrize(
    ("name", "pack"), [("one.json", lambda p: p.json(0, indent=2)), ("one.pb", lambda p: p.protobuf(0))]
)
def test_a_whole_file_document_is_one_batch(place, payloads, name: str, pack) -> None:
    (place.inbox / name).write_bytes(pack(payloads))
    assert (place.land().accepted, place.land().accepted) == (1, 0)
    assert landed(place) == [pack(payloads)]


def test_a_growing_file_gives_its_complete_batches_and_later_the_rest(place, payloads) -> None:
    file = place.inbox / "traces.binpb"
    file.touch()
    data = payloads.frames(*(payloads.protobuf(number) for number in range(5)))
    counts, waiting = [], []
    for end in (0, 3, len(data) // 2, len(data) // 2 + 1, len(data) - 1, len(data)):
        with file.open("r+b") as writer:
            writer.write(data[:end])
        found = place.land()
        counts.append(found.accepted)
        waiting.append(sum(found.waiting.values()))
    assert sum(counts) == 5
    assert counts[-1] == 1
    assert waiting[-1] == 0
    assert waiting[-2] > 0
    assert len(place.rows("ordinal")) == 5


def test_a_rotated_file_is_not_read_again_and_a_deleted_one_is_kept(place, payloads) -> None:
    file = place.inbox / "traces.jsonl"
    with file.open("wb") as writer:
        writer.write(payloads.lines(payloads.json(0)))
        writer.flush()
        assert place.land().accepted == 1
        file.rename(place.inbox / "traces-2026-11-22T10-00-00.000.jsonl")
        writer.write(payloads.lines(payloads.json(1)))
        writer.flush()
        file.write_bytes(payloads.lines(payloads.json(2)))
        found = place.land()
        assert (found.accepted, found.duplicates) == (2, 0)
        writer.write(payloads.lines(payloads.json(3)))
    for path in list(place.inbox.iterdir()):
        path.unlink()
    # Written after the last look, and deleted before the next.
    assert place.land().accepted == 1
    assert landed(place) == sorted(payloads.json(number) for number in range(4))
    place.land()
    assert not list((place.landing / "held").iterdir())
    assert len(landed(place)) == 4


def test_a_file_that_its_writer_truncates_keeps_what_had_landed(place, payloads) -> None:
    file = place.inbox / "traces.jsonl"
    file.write_bytes(payloads.lines(payloads.json(0), payloads.json(1)))
    assert place.land().accepted == 2
    # What a Collector without `append: true` does when it restarts: same inode, from the beginning.
    with file.open("r+b") as writer:
        writer.truncate(0)
        writer.write(payloads.lines(payloads.json(2), payloads.json(3), payloads.json(4)))
    assert place.land().accepted == 3
    assert landed(place) == sorted(payloads.json(number) for number in range(5))
    assert place.land().accepted == 0
    assert len(list((place.landing / "held").iterdir())) == 1


def test_equal_bytes_are_a_duplicate_through_any_file_and_form(place, payloads) -> None:
    (place.inbox / "a.binpb").write_bytes(payloads.frames(payloads.protobuf(0), payloads.protobuf(0)))
    (place.inbox / "b.gz").write_bytes(gzip.compress(payloads.frames(payloads.protobuf(0))))
    (place.inbox / "c").write_bytes(payloads.frames(zstandard.compress(payloads.protobuf(0))))
    found = place.land()
    assert (found.accepted, found.duplicates, found.spans) == (1, 3, 2)
    (place.inbox / "d.binpb").write_bytes(payloads.frames(payloads.protobuf(0)))
    found = place.land()
    assert (found.accepted, found.duplicates, found.spans) == (0, 1, 0)
    assert sorted(place.rows("status", "spans", "days")) == [("accepted", 2, [DAY]), *[("duplicate", 2, [])] * 4]
    assert landed(place) == [payloads.protobuf(0)]


@pytest.mark.parametrize(
    ("name", "pack", "expected"),
    [
        ("bad-line.jsonl", lambda p: p.lines(p.json(0), b'{"resourceSpans": oops}', p.json(1)), ("not JSON", 2)),
        ("metrics.jsonl", lambda p: p.lines(b'{"resourceMetrics":[]}'), ("only traces", 0)),
        ("bad-frame", lambda p: p.frames(p.protobuf(0), b"\xff\xff\xff", p.protobuf(1)), ("export request", 2)),
        ("bad-length", lambda p: p.frames(p.protobuf(0)) + b"\xff\xff\xff\xff....", ("Collector's file exporter", 1)),
        ("picture.png", lambda _: b"\x89PNG\r\n\x1a\n", ("move it out", 0)),
        ("notes.md", lambda _: b"# notes about traces", ("move it out", 0)),
        ("bad.gz", lambda p: gzip.compress(p.lines(p.json(0)))[:-8] + b"12345678", ("damaged", 0)),
        ("bad-tail.zst", lambda p: zstandard.compress(p.lines(p.json(0))) + b"this is no zstd frame", ("damaged", 1)),
        ("bad-zstd", lambda p: p.frames(b"\x28\xb5\x2f\xfd-nonsense", p.protobuf(0)), ("zstd", 1)),
        ("x.feedback.jsonl", lambda _: b'{"target_kind": "run"}\n', ("target_id", 0)),
    ],
)
def test_what_cannot_be_parsed_is_kept_with_a_reason_and_the_rest_lands(
    place, payloads, name: str, pack, expected: tuple[str, int]
) -> None:
    data = pack(payloads)
    (place.inbox / name).write_bytes(data)
    found = place.land()
    word, accepted = expected
    assert (found.accepted, found.rejected) == (accepted, 1)
    ((reason, file, offset, length),) = [
        row[1:] for row in place.rows("status", "reason", "file", "offset", "length") if row[0] == "rejected"
    ]
    assert word in reason
    assert (place.landing / file).read_bytes() == data
    assert length > 0 or "damaged" in reason
    assert offset + length <= max(len(data), 1000)
    again = place.land()
    assert (again.accepted, again.rejected, again.duplicates) == (0, 0, 0)


def test_a_doors_segment_lands_while_open_and_leaves_the_inbox_when_finished(place, payloads) -> None:
    spool = Spool(place.inbox)
    spool.append(payloads.protobuf(0), "protobuf", "otlp")
    assert place.land().accepted == 1
    spool.append(payloads.protobuf(1), "protobuf", "otlp")
    spool.append(payloads.json(2), "json", "demo")
    assert place.land().accepted == 2
    assert len(list(place.inbox.iterdir())) == 2
    spool.append(payloads.protobuf(3), "protobuf", "otlp")
    spool.close()
    assert place.land().accepted == 1
    assert not list(place.inbox.iterdir())
    assert place.land().accepted == 0
    assert len(landed(place)) == 4
    assert sorted(place.rows("source", "ordinal")) == [("demo", 0), ("otlp", 0), ("otlp", 1), ("otlp", 2)]


def test_the_torn_end_of_a_dead_doors_segment_was_never_acknowledged(place, payloads) -> None:
    spool = Spool(place.inbox)
    spool.append(payloads.protobuf(0), "protobuf", "otlp")
    spool.close()
    (segment,) = place.inbox.iterdir()
    with segment.open("ab") as torn:
        torn.write(payloads.frames(payloads.protobuf(1))[:-1])
    found = place.land()
    assert (found.accepted, found.rejected, found.waiting) == (1, 0, {})
    assert not list(place.inbox.iterdir())


def test_spans_that_cannot_be_placed_are_listed_once(place, payloads) -> None:
    bad = payloads.protobuf(0, spans=3, start=5)
    (place.inbox / "a.binpb").write_bytes(payloads.frames(payloads.protobuf(1), bad, bad))
    found = place.land()
    assert (found.spans, found.spans_set_aside, found.days) == (5, 3, {DAY})
    place.land()
    rows = place.lake.read(SPAN_REJECTIONS).to_pylist()
    assert [(row["position"], row["reason"]) for row in rows] == [(n, "time_out_of_range") for n in range(3)]


def test_posted_feedback_lands_line_by_line_on_its_day(place) -> None:
    line = {"target_kind": "run", "target_id": "r", "name": "n", "value": 1, "tier": "human"}
    lines = [json.dumps(line | {"observed_at": f"2026-11-1{day}T23:30:00-01:00"}).encode() for day in (6, 7)]
    (place.inbox / "x.feedback.jsonl").write_bytes(b"\n".join(lines))
    found = place.land()
    assert (found.accepted, found.feedback, found.spans, found.days) == (2, 2, 0, {date(2026, 11, 17), DAY})
    assert [batch.payload for batch in read_batches(place.lake, place.landing, DAY, "feedback")] == [lines[1]]
    assert landed(place) == []
