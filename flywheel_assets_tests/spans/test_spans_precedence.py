"""Who is believed is written down, and is what the decoder does."""

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from flywheel_assets.spans.keys import members, only
from flywheel_assets.spans.precedence import precedence
from flywheel_assets.spans.promote import NAMING, PROMOTED
from flywheel_assets.spans.registry import dialects_in_order
from flywheel_assets.tables.table import INT, REAL

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_up_to_date_and_its_command_writes_it() -> None:
    found = subprocess.run([sys.executable, "-m", "flywheel_assets.spans.precedence"], capture_output=True, check=True)
    assert (DOCS / "dialects.md").read_text() == precedence() == found.stdout.decode()


def written() -> dict[str, list[str]]:
    """{column: attributes in the page's order}."""
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", precedence().split("## Operation")[0], re.MULTILINE)
    return {column: re.findall(r"`([^`]+)`", told.split(" of ")[0]) for column, told in rows}


@pytest.mark.parametrize("column", written())
def test_of_two_attributes_beside_each_other_on_the_page_the_first_is_believed(otlp, column: str) -> None:
    kind = next(one.type for one in PROMOTED if one.name == column)
    keys = [key.replace("<i>", "0") for key in written()[column] if "#" not in key and not key.startswith("_no")]
    number = kind in {INT, REAL}
    pairs = list(pairwise(keys))
    spans = [
        otlp.span(place, {second: value(second, 2, number=number), first: value(first, 1, number=number)})
        for place, (first, second) in enumerate(pairs, start=1)
    ]
    if not spans:
        return
    rows = otlp.rows(otlp.batch(otlp.request(spans)))
    for row, (first, _) in zip(rows, pairs, strict=True):
        scale = next((d.scales[first] for d in dialects_in_order() if first in d.scales), 1)
        said = only().get(first, ("1",))[0]
        expected = first if column in NAMING else pytest.approx(1 * scale) if number else said
        assert row[column] == expected, first


def value(key: str, given: int, *, number: bool) -> object:
    return given if number else only().get(key, (str(given),))[0]


def test_every_member_on_the_page_is_read() -> None:
    told = {key for keys in written().values() for key in keys if "#" in key}
    assert told == {f"{key}#{one.name}" for key, several in members().items() for one in several}
