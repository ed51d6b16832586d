"""Rules that another package adds, removes or changes make the days stale that they judge."""

import importlib
import sys
from datetime import date
from pathlib import Path

import pytest

from flywheel_assets.lake.installed import installed
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.stale import inputs
from flywheel_assets.tables.steps import DAY_STEPS

DAY = date(2026, 11, 20)


@pytest.mark.parametrize(("group", "step"), [("gates", "admit"), ("labelers", "label")])
def test_an_installed_rule_and_another_version_of_it_make_the_days_stale_that_it_judges(
    group: str, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(str(tmp_path / "lake"))
    described = tmp_path / "packages" / "theirs-1.dist-info"
    described.mkdir(parents=True)
    points = described / "entry_points.txt"
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1\n")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def changed(module: str, entry: str = "theirs = their_rules:RULE") -> set[str]:
        before = {one.name: inputs(lake, one, [DAY]) for one in DAY_STEPS}
        (tmp_path / "packages" / "their_rules.py").write_text(module)
        points.write_text(f"[flywheel_assets.{group}]\n{entry}\n")
        monkeypatch.delitem(sys.modules, "their_rules", raising=False)
        importlib.invalidate_caches()
        installed.cache_clear()
        return {one.name for one in DAY_STEPS if inputs(lake, one, [DAY]) != before[one.name]}

    rule = "class RULE:\n    name, version = 'theirs', {}\n"
    assert changed(rule.format(1)) == {step}
    assert changed(rule.format(1)) == set()
    assert changed(rule.format(20)) == {step}
    assert changed("1 / 0") == {step}
    assert changed("", "") == {step}
