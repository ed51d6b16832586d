"""Made-up credentials of every kind that is looked for, put together when they are asked for."""

import random
import re
import string
from collections.abc import Callable
from typing import NamedTuple

from hypothesis import Phase, find, settings
from hypothesis import strategies as st

from flywheel_assets.observations.secret_patterns import issuer_formats

FIRST = settings(phases=[Phase.generate], max_examples=1, database=None, deadline=None)
ALPHABET = string.ascii_letters + string.digits


class Planted(NamedTuple):
    """A text with a credential in it, and the credential."""

    kind: str
    text: str
    secret: str


def credentials(seed: int) -> list[Planted]:
    """One of each form that the package describes, and of each that issuers do."""
    rng = random.Random(seed)

    def some(count: int, alphabet: str = ALPHABET) -> str:
        return "".join(rng.choices(alphabet, k=count))

    ours = [Planted(kind, text.replace("{}", secret), secret) for kind, text, secret in _forms(some)]
    issued = ((kind, _like(pattern, rng)) for kind, pattern, _group in issuer_formats())
    return [*ours, *(Planted(kind, f"use {value} here", value) for kind, value in issued)]


def _like(pattern: re.Pattern[str], rng: random.Random) -> str:
    form = st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))
    plain = find(form, lambda _: True, settings=FIRST, random=rng)
    # The simplest text is mostly zeros, which are found in any number: others in place of those that may be others.
    for place, one in enumerate(plain):
        other = plain[:place] + rng.choice("123456789") + plain[place + 1 :]
        plain = other if one == "0" and pattern.fullmatch(other) else plain
    return plain


def _forms(some: Callable[..., str]) -> list[tuple[str, str, str]]:
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{some(64)}\n{some(64)}\n-----END RSA PRIVATE KEY-----"
    web = f"eyJ{some(20)}.eyJ{some(24)}.{some(43)}"
    return [
        ("private_key", "{}", key),
        ("crypt_hash", "root:{}:19000", f"$6${some(8)}${some(40)}"),
        ("url_password", "postgres://{}@db/main", f"ann:{some(14)}"),
        ("json_web_token", "sent {} along", web),
        ("api_token", "the key sk-{} works", some(48)),
        ("api_token", "clone with github_pat_{}", some(40)),
        ("authorization", "Authorization: Bearer {}", some(40)),
        ("password", "conn.login('ann', '{}')", some(12)),
        ("password", "db.internal:5432:main:ann:{}", some(12)),
        ("assigned", "DB_PASSWORD={}", some(16)),
        ("assigned", '{"client_secret": "{}"}', some(30)),
        ("assigned", "api_key: {}", some(32, "0123456789abcdef")),
    ]
