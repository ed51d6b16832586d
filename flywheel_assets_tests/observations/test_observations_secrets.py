"""Credentials are found by format, container and name; words about credentials are left alone."""

import re
import string
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_assets.observations.secret_patterns import PREFILTER, find_secrets
from flywheel_assets_tests.benchmarks.gates import leaky_share, secret_hits

# Put together here, so that no scanner takes this file for a leak.
HEX = "9f86d081884c7d65" * 2
MIXED = "q7Tz0Lk2Vx9Bn4Rw6Yd1Hs3Jf8Gm5Pc0aE2u"
KEY_BLOCK = "-----BEGIN {0} KEY-----\nMIIB" + MIXED + "\n-----END {0} KEY-----"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("AKIA" + "Q3EXAMPLE7KEY2X9", "AKIA" + "Q3EXAMPLE7KEY2X9"),
        ("token ghp_" + MIXED + " ok", "ghp_" + MIXED),
        ("see " + "sk-proj-" + MIXED, "sk-proj-" + MIXED),
        ("eyJhbGciOiJIUzI1" + ".eyJzdWIiOiIxMjM0." + "c2lnbmF0dXJl", "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2lnbmF0dXJl"),
        (KEY_BLOCK.format("EC PRIVATE"), KEY_BLOCK.format("EC PRIVATE")),
        ("root:$6$salt$" + MIXED + ":0", "$6$salt$" + MIXED),
        ("postgres://ann:s3cr3t-x@db/main", "ann:s3cr3t-x"),
        ("Authorization: Bearer " + MIXED, MIXED),
        ("curl -H 'authorization: basic " + MIXED + "'", MIXED),
        ("DB_PASSWORD=correct-horse", "correct-horse"),
        ('{"userPassword": "tr0ub4dor"}', "tr0ub4dor"),
        ('{\\"password\\": \\"tr0ub4dor\\"}', "tr0ub4dor"),
        ("<ftpPassword>tr0ub4dor</ftpPassword>", "tr0ub4dor"),
        ("client_secret = '" + MIXED + "'", MIXED),
        ("api_key: " + HEX, HEX),
        ("define('DB_PASSWORD', 'tr0ub4dor');", "tr0ub4dor"),
        ("machine db login ann password tr0ub4dor", "tr0ub4dor"),
        ("conn.login('ann', 'open-sesame')", "open-sesame"),
        ("db.internal:5432:main:ann:tr0ub4dor", "tr0ub4dor"),
    ],
)
def test_a_credential_is_found_where_it_stands(text: str, secret: str) -> None:
    covered = [text[found.start : found.end] for found in find_secrets(text)]
    assert any(secret in stretch for stretch in covered), covered


@pytest.mark.parametrize(
    "text",
    [
        "Please reset my password: it does not work.",
        "password: str",
        'password = "string"',
        "login(user, password=password)",
        "password = get_password()",
        "api_key = os.environ['API_KEY']",
        "token = tokens[0]",
        "max_tokens: 4096, total_tokens=1234567890123456",
        "the author: Ann Example-Longname-Of-Some-Kind",
        '{"tool_call_id": "call_q7Tz0Lk2Vx9Bn4Rw6Yd1Hs3J"}',
        "sha256 " + HEX * 2,
        "https://example.org:8443/path/@handle",
        "bypass=everything compass: north",
        "PASSWORD=<your password>",
        "PASSWORD=${DB_PASSWORD}",
        "-----BEGIN PUBLIC KEY-----",
    ],
)
def test_talk_of_credentials_is_no_credential(text: str) -> None:
    assert find_secrets(text) == []


@given(
    st.text(max_size=60),
    st.sampled_from(
        [
            "password={}", 'pwd: "{}"', "secret_key => '{}'", "Bearer {}", "https://u:{}@h", "<pass>{}</pass>",
            "AKIA{}", "ghp_{}", "$2y$12${}", "login('u', '{}')", "token {}", "x_access_key,'{}'",
        ]
    ),
    st.text(string.ascii_letters + string.digits, min_size=4, max_size=60),
    st.text(max_size=60),
)  # fmt: skip
def test_the_prefilter_drops_no_text_in_which_something_is_found(
    before: str, form: str, value: str, after: str
) -> None:
    text = before + form.format(value) + after
    found = bool(find_secrets(text))
    assert not found or pc.match_substring_regex(pa.array([text]), PREFILTER)[0].as_py()


@pytest.mark.parametrize("piece", ["a", "a:", "://", "pass ", 'pass="', "<password ", "\\", 'auth("', "eyJ", "x@:"])
def test_hostile_repetition_is_searched_to_its_end(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    assert all(0 <= found.start < found.end <= len(text) for found in find_secrets(text))


def test_secrets_of_the_poison_suite_are_found_and_its_benign_texts_left_alone(shared_data: Path) -> None:
    label, hit = secret_hits(shared_data)
    assert hit[label == "secret"].mean() >= 0.75
    assert hit[label == "benign"].mean() <= 0.03


def test_most_leaked_values_of_the_leaky_repository_are_found(shared_data: Path) -> None:
    found, planted = leaky_share(shared_data)
    assert found / planted >= 0.75


def test_no_secret_is_found_in_exam_questions(shared_data: Path) -> None:
    prompts = pd.read_parquet(shared_data / "routellm" / "gsm8k_mmlu.parquet", columns=["prompt"])["prompt"]
    candidates = [prompt for prompt in prompts if re.search(r"(?i)pass|key|token|secret|auth|:", prompt)]
    assert sum(bool(find_secrets(prompt)) for prompt in candidates) / len(prompts) <= 0.001
