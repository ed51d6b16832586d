"""Who is at the desk: a signed cookie that names a person, and a token in every form that proves it is ours.

Nothing is kept on the server. The key is derived from the receiver's bearer token, so that a new token ends
every session; without one (loopback alone) it is random, and a restart does.
"""

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

COOKIE = "flywheel_desk"
LASTS_SECONDS = 12 * 3600
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Session:
    """A person who logged in; `form_token` has to come back with whatever is posted."""

    name: str
    form_token: str


class Sessions:
    """Issues cookies and reads them."""

    def __init__(self, token: str | None) -> None:
        secret = secrets.token_bytes(32) if token is None else token.encode()
        self._key = hmac.digest(secret, b"flywheel desk", "sha256")
        self._token = token

    def admits(self, shown: str) -> bool:
        """Whether that is the bearer token; where none is set, there is none to show."""
        return self._token is None or hmac.compare_digest(shown.encode(), self._token.encode())

    def cookie(self, name: str, now: float) -> str:
        """A cookie for that person; the nonce makes two logins differ."""
        said = {"name": name, "until": int(now) + LASTS_SECONDS, "nonce": secrets.token_hex(8)}
        body = urlsafe_b64encode(json.dumps(said).encode()).decode()
        return f"{body}.{self._sign('cookie', body)}"

    def session(self, cookie: str, now: float) -> Session | None:
        """Whose cookie it is; None where it was not issued here, or is too old."""
        body, _, signature = cookie.rpartition(".")
        if not body or not hmac.compare_digest(signature.encode(), self._sign("cookie", body).encode()):
            return None
        said = json.loads(urlsafe_b64decode(body))
        return Session(said["name"], self._sign("form", cookie)) if now < said["until"] else None

    def _sign(self, purpose: str, words: str) -> str:
        return hmac.new(self._key, f"{purpose}\n{words}".encode(), hashlib.sha256).hexdigest()


def name_of(typed: str) -> str:
    """The name as it is kept, on one line; '' where nothing of one was typed."""
    return " ".join("".join(sign for sign in typed if sign.isprintable() or sign == " ").split())[:LONGEST_NAME]
