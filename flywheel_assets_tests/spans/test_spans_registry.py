"""The dialects are found in their folder, believed in a stated order, and feed columns that exist."""

from pathlib import Path

import pytest

from flywheel_assets.spans import dialects
from flywheel_assets.spans.dialect import ByKey, ByName, ByValue, Dialect
from flywheel_assets.spans.keys import feeds
from flywheel_assets.spans.promote import PROMOTED
from flywheel_assets.spans.registry import FIRST, LAST, dialects_in_order

OPERATIONS = {
    "agent",
    "llm",
    "tool",
    "retrieval",
    "embedding",
    "chain",
    "workflow",
    "step",
    "attempt",
    "invocation",
    "evaluation",
    "guardrail",
    "storm",
    "other",
}


def test_every_file_is_a_dialect_and_the_stated_ones_keep_their_places():
    names = [dialect.name for dialect in dialects_in_order()]
    files = {path.stem for folder in dialects.__path__ for path in Path(folder).glob("*.py")} - {"__init__"}
    assert sorted(names) == sorted(files)
    assert tuple(names[: len(FIRST)]) == FIRST
    assert tuple(names[-len(LAST) :]) == LAST


@pytest.mark.parametrize("dialect", dialects_in_order(), ids=lambda dialect: dialect.name)
def test_a_dialect_feeds_columns_and_tells_operations_that_exist(dialect: Dialect):
    assert set(dialect.columns) <= {column.name for column in PROMOTED}
    for rule in dialect.operations:
        match rule:
            case ByKey():
                assert rule.operation in OPERATIONS
            case ByValue():
                assert set(rule.operations.values()) <= OPERATIONS
                assert all(known == known.casefold() for known in rule.operations)
            case ByName():
                assert set(rule.operations.values()) <= OPERATIONS
                assert not any(" " in word for word in rule.operations)


@pytest.mark.parametrize("dialect", dialects_in_order(), ids=lambda dialect: dialect.name)
def test_a_dialect_names_each_key_once_per_column(dialect: Dialect):
    for keys in dialect.columns.values():
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("key", "slots"),
    [
        ("gen_ai.input.messages", ["input_key"]),
        ("gen_ai.prompt.12.content", ["input_key"]),
        ("gen_ai.prompt.x.content", []),
        ("gen_ai.prompt.12.content.more", []),
        ("my.own.key", []),
        ("my.own.key.7", []),
    ],
)
def test_keys_feed_by_name_or_by_index(key, slots):
    assert [feed.slot for feed in feeds(key)] == slots


def test_a_file_that_holds_no_dialect_is_refused(monkeypatch, tmp_path):
    (tmp_path / "broken.py").write_text("DIALECT = 'none'\n")
    monkeypatch.setattr(dialects, "__path__", [*dialects.__path__, str(tmp_path)])
    dialects_in_order.cache_clear()
    try:
        with pytest.raises(TypeError, match="must be a Dialect"):
            dialects_in_order()
    finally:
        dialects_in_order.cache_clear()


def test_a_user_adds_a_dialect_by_adding_a_file(monkeypatch, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from flywheel_assets.spans.dialect import Dialect\nDIALECT = Dialect('mine', {'user_id': ('my.user',)})\n"
    )
    monkeypatch.setattr(dialects, "__path__", [*dialects.__path__, str(tmp_path)])
    dialects_in_order.cache_clear()
    try:
        names = [dialect.name for dialect in dialects_in_order()]
    finally:
        dialects_in_order.cache_clear()
    assert names.index("mine") in range(len(FIRST), len(names) - len(LAST))
