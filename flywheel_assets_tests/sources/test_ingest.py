"""`ingest`: what is taken from a folder and what is not, and that nothing is lost or counted twice."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import zstandard

from flywheel_assets.sources.batches import read_batches
from flywheel_assets.sources.ingest import ingest
from flywheel_assets.tables.landed_batches import LANDED_BATCHES

SESSION = {
    "type": "user",
    "uuid": "u1",
    "sessionId": "c-1",
    "timestamp": "2026-10-05T09:00:00.000Z",
    "version": "2.0.1",
    "message": {"role": "user", "content": "hello"},
}


@pytest.fixture(params=["same", "another"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder on the inbox's file system, and one on another, where there is one."""
    if request.param == "same":
        yield tmp_path
        return
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no other file system here")
    with TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def test_files_that_are_not_otlp_are_skipped_with_a_reason(place, payloads, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.json").write_bytes(payloads.json(0, indent=1))
    (folder / "b.pb").write_bytes(payloads.protobuf(1))
    (folder / "c.feedback.jsonl").write_text(
        '{"target_kind": "run", "target_id": "r", "name": "n", "value": 0, "tier": "human",'
        ' "observed_at": "2026-11-18T00:00:00Z"}'
    )
    (folder / "empty").touch()
    (folder / "notes.md").write_text("# notes")
    (folder / "other.json").write_text('{"a": 1}')
    (folder / "half.json").write_text('{\n"resourceSpans": [')
    (folder / "zstd.binpb").write_bytes(payloads.frames(b"\x28\xb5\x2f\xfd-nonsense"))
    done = ingest(folder, place.inbox)
    assert done.files == 3
    assert {Path(path).name: reason.split(":")[0] for path, reason in done.skipped.items()} == {
        "empty": "empty",
        "notes.md": "neither OTLP/JSON nor OTLP protobuf",
        "other.json": "no resourceSpans",
        "half.json": "holds no complete batch",
        "zstd.binpb": "its first batch is damaged (zstd",
    }
    found = place.land()
    assert (found.spans, found.feedback, found.rejected) == (4, 1, 0)
    assert not list(place.inbox.iterdir())


def test_the_same_file_twice_lands_once_and_a_changed_one_adds_what_is_new(place, payloads, tmp_path: Path) -> None:
    file = tmp_path / "traces.jsonl"
    file.write_bytes(payloads.lines(payloads.json(0)))
    for _ in range(2):
        ingest(file, place.inbox)
        place.land()
    assert place.rows("status") == [("accepted",)]
    # Written anew in place, as a shell's > does.
    file.write_bytes(payloads.lines(payloads.json(1), payloads.json(0)))
    ingest(file, place.inbox)
    found = place.land()
    assert (found.accepted, found.duplicates) == (1, 1)
    assert {batch.payload for day in found.days for batch in read_batches(place.lake, place.landing, day)} == {
        payloads.json(0),
        payloads.json(1),
    }


@pytest.mark.parametrize(
    "pack",
    [
        lambda p: p.lines(p.json(0)) + p.json(1)[:-9],
        lambda p: p.frames(p.protobuf(0), p.protobuf(1))[:-9],
        lambda p: gzip.compress(p.lines(p.json(0))) + gzip.compress(b"")[:-2],
        lambda p: zstandard.compress(p.lines(p.json(0))) + zstandard.compress(p.lines(p.json(1)))[:-9],
    ],
)
def test_the_incomplete_end_of_an_ingested_file_is_reported(place, payloads, tmp_path: Path, pack) -> None:
    file = tmp_path / "traces"
    file.write_bytes(pack(payloads))
    ingest(file, place.inbox)
    found = place.land()
    assert (found.accepted, found.rejected) == (1, 1)
    assert "in the middle of a batch" in sorted(place.rows("status", "reason"))[1][1]


def test_moved_files_are_taken_over_and_the_others_stay(place, payloads, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a.binpb").write_bytes(payloads.frames(payloads.protobuf(0)))
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(payloads.lines(payloads.json(1))))
    (folder / "notes.md").write_text("# notes")
    (folder / "session.jsonl").write_text(json.dumps(SESSION))
    (tmp_path / "elsewhere.jsonl").write_bytes(payloads.lines(payloads.json(2)))
    (folder / "link.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    number = (folder / "a.binpb").stat().st_ino
    done = ingest(folder, place.inbox, move=True)
    assert (done.files, done.moved, len(done.skipped), len(done.translated)) == (4, 2, 1, 1)
    assert {path.name for path in folder.iterdir()} == {"notes.md", "session.jsonl", "link.jsonl"}
    assert number in {path.stat().st_ino for path in place.inbox.iterdir()}
    found = place.land()
    assert (found.accepted, found.rejected) == (4, 0)
    assert not list(place.inbox.iterdir())


def test_a_move_that_was_killed_loses_nothing_and_lands_once(place, payloads, elsewhere: Path) -> None:
    file = elsewhere / "traces.jsonl"
    file.write_bytes(payloads.lines(payloads.json(0)))
    # Killed between copying and removing: both are there.
    ingest(file, place.inbox)
    (waiting,) = place.inbox.iterdir()
    # Killed in the middle of copying: a hidden part of it.
    waiting.with_name(f".{waiting.name}").write_bytes(file.read_bytes()[:9])
    done = ingest(file, place.inbox, move=True)
    assert (done.moved, file.exists(), list(place.inbox.glob("[!.]*"))) == (1, False, [waiting])
    found = place.land()
    assert (found.accepted, found.duplicates, found.rejected) == (1, 0, 0)


def test_a_path_that_is_not_there_is_an_error_that_says_so(place, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing at"):
        ingest(tmp_path / "nowhere", place.inbox)


def plain_count(folder: Path) -> tuple[int, Counter[str]]:
    """Spans of all export requests under the folder, and per UTC day, with nothing but json."""
    days: Counter[str] = Counter()
    requests = set()
    for path in sorted(folder.rglob("*.json*")):
        text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
        try:
            documents = [text.strip()] if json.loads(text) else []
        except ValueError:
            documents = text.strip().split("\n")
        requests |= {document for document in documents if "resourceSpans" in json.loads(document)}
    for request in requests:
        for resource in json.loads(request)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                days.update(str(int(span["startTimeUnixNano"]) // (86_400 * 10**9)) for span in scope["spans"])
    return len(requests), days


@pytest.mark.parametrize("data", ["captures/inngest", "captures/restate", "trail/otlp"])
def test_real_traces_land_whole_by_an_independent_count(place, shared_data: Path, data: str) -> None:
    requests, days = plain_count(shared_data / data)
    done = ingest(shared_data / data, place.inbox)
    found = place.land()
    assert requests > 5
    assert not done.translated
    assert found.accepted == requests
    assert found.spans == sum(days.values())
    assert (found.spans_set_aside, found.rejected) == (0, 0)
    assert len(found.days) == len(days)
    assert done.files <= found.accepted + found.duplicates
    rows = place.lake.read(LANDED_BATCHES)
    assert sum(1 for day in found.days for _ in read_batches(place.lake, place.landing, day)) == sum(
        len(row) for row in rows.column("days").to_pylist()
    )
