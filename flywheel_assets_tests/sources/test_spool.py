"""The spool: durable, grouped, in the Collector's forms, and it says what it refuses."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_assets.sources.framing import records
from flywheel_assets.sources.segments import SegmentName, is_finished
from flywheel_assets.sources.spool import Spool, SpoolRefusedError


def stored(folder: Path, kind: str) -> list[bytes]:
    suffix = ".binpb" if kind == "frames" else ".jsonl"
    found: list[bytes] = []
    for path in sorted(folder.glob(f"*{suffix}")):
        data = path.read_bytes()
        found += [data[offset : offset + length] for offset, length in records(data, kind, 0, 10**6).ranges]
    return found


def test_an_appended_batch_is_in_a_segment_named_after_its_door(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(b"\x0a\x00", "protobuf", "otlp")
    spool.append(b'{"resourceSpans":[]}', "json", "otlp")
    spool.append(b"{}", "feedback", "feedback")
    assert stored(tmp_path, "frames") == [b"\x0a\x00"]
    assert sorted(stored(tmp_path, "lines")) == [b'{"resourceSpans":[]}', b"{}"]
    names = [SegmentName.parse(path.name) for path in tmp_path.iterdir()]
    assert sorted((name.source, name.suffix) for name in names if name) == [
        ("feedback", ".feedback.jsonl"),
        ("otlp", ".binpb"),
        ("otlp", ".jsonl"),
    ]
    assert not any(is_finished(path) for path in tmp_path.iterdir())
    spool.close()
    assert all(is_finished(path) for path in tmp_path.iterdir())


@given(batches=st.lists(st.binary(max_size=50), max_size=30), segment_bytes=st.integers(1, 200))
def test_every_batch_of_many_threads_is_stored_once(
    tmp_path_factory: pytest.TempPathFactory, batches: list[bytes], segment_bytes: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder, segment_bytes=segment_bytes)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda batch: spool.append(batch, "protobuf", "otlp"), batches))
    spool.close()
    assert sorted(stored(folder, "frames")) == sorted(filter(None, batches))


def test_several_batches_share_one_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs: list[int] = []
    first, go_on = threading.Event(), threading.Event()
    really = os.fsync

    def slow(descriptor: int) -> None:
        syncs.append(descriptor)
        first.set()
        go_on.wait(5)
        really(descriptor)

    spool = Spool(tmp_path)
    spool.append(b"opens the segment", "protobuf", "otlp")
    monkeypatch.setattr(os, "fsync", slow)
    waiting = [spool.submit(b"first", "protobuf", "otlp")]
    assert first.wait(5)
    waiting += [spool.submit(b"%d" % number, "protobuf", "otlp") for number in range(100)]
    assert not any(one.done() for one in waiting)
    go_on.set()
    for one in waiting:
        one.result(5)
    spool.close()
    assert len(syncs) == 2
    assert len(stored(tmp_path, "frames")) == 102


def test_a_full_disk_is_a_refusal_and_the_spool_recovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    spool.append(b"before", "protobuf", "otlp")
    really = os.write

    def full(descriptor: int, data: memoryview) -> int:
        really(descriptor, data[:3])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(SpoolRefusedError, match="No space left"):
            spool.append(b"during", "protobuf", "otlp")
        assert "free space" in (spool.fault or "")
    spool.append(b"after", "protobuf", "otlp")
    assert spool.fault is None
    spool.close()
    assert sorted(stored(tmp_path, "frames")) == [b"after", b"before"]


def test_a_writer_that_dies_leaves_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    spool = Spool(tmp_path)
    monkeypatch.setattr(spool, "_finish_segments", lambda **_: 1 / 0)
    spool.append(b"stored", "protobuf", "otlp")
    spool._writer.join(5)
    with pytest.raises(SpoolRefusedError, match="closed"):
        spool.append(b"after", "protobuf", "otlp")


def test_a_folder_that_vanished_is_a_refusal(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    spool = Spool(folder)
    folder.rmdir()
    with pytest.raises(SpoolRefusedError, match="cannot write"):
        spool.append(b"x", "protobuf", "otlp")
    spool.close()


def test_a_closed_spool_and_a_full_backlog_refuse(tmp_path: Path) -> None:
    spool = Spool(tmp_path, backlog_bytes=10)
    with pytest.raises(SpoolRefusedError, match="waiting for the disk"):
        spool.append(b"more than ten bytes", "protobuf", "otlp")
    spool.append(b"ten", "protobuf", "otlp")
    spool.close()
    with pytest.raises(SpoolRefusedError, match="closed"):
        spool.append(b"ten", "protobuf", "otlp")
    assert stored(tmp_path, "frames") == [b"ten"]


def test_a_segment_is_finished_by_age(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_seconds=0.02)
    spool.append(b"x", "protobuf", "otlp")
    (segment,) = tmp_path.iterdir()
    for _ in range(200):
        if is_finished(segment):
            break
        threading.Event().wait(0.01)
    assert is_finished(segment)
    spool.append(b"y", "protobuf", "otlp")
    spool.close()
    assert sorted(stored(tmp_path, "frames")) == [b"x", b"y"]


def test_a_payload_of_several_lines_is_an_error(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with pytest.raises(ValueError, match="one line"):
        spool.append(b"{\n}", "json", "otlp")
    spool.close()
