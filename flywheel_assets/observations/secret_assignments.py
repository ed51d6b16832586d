"""Credentials that are given away by what they are called: `name = value`, in code, configuration and markup.

detect-secrets asks for quotes and stops at the first hit; span texts hold unquoted configuration and
JSON inside JSON, whose quotes are escaped. The names say how sure one may be: after a password's
name any word counts, after a token's or key's name only what looks random.
"""

import math
import re
import string
from collections import Counter
from collections.abc import Iterator

# Names after which any word may be the secret, and names after which only what looks random is.
_ANY_WORD = r"(?:pass(?:word|wd|phrase|code)?|pwd)"
_RANDOM_ONLY = (
    r"(?:secret|credential|token|salt|auth"
    r"|(?:api|access|account|auth|client|consumer|encryption|license|master|private|service|shared|signing)[_\-. ]?key)"
)
# The quotes around a name or a value may be escaped several times over: JSON inside JSON.
_QUOTE = r"\\*[\"'`]"
# Found on lower-cased text: without IGNORECASE the scan costs a tenth.
_CORE = re.compile(rf"{_ANY_WORD}|{_RANDOM_ONLY}")
_LOWER = {ord(char): char.lower() for char in string.ascii_uppercase}
_ASSIGNMENT = re.compile(
    rf"(?:(?P<password>{_ANY_WORD})|{_RANDOM_ONLY})(?P<suffix>[\w.\-]{{0,24}})(?P<close>{_QUOTE})?\]?"
    r"(?P<sep>[ \t]{0,8}(?::=|=>|={1,3}|:)[ \t]{0,8}|[ \t]{0,2},[ \t]{0,2}(?=[\"'])|[ \t]+(?=\S))"
    rf"(?:(?P<open>{_QUOTE})(?P<quoted>(?:(?!(?P=open))[^\r\n]){{3,400}}?)(?P=open)"
    r"|(?P<bare>[^\s\"'`,;<>(){}\[\]\\]{4,400}))",
    re.IGNORECASE,
)
_ELEMENT = re.compile(
    rf"<(?P<name>[\w.\-]{{0,24}}{_ANY_WORD})(?:\s[^<>\n]{{0,80}})?>(?P<value>[^<>\r\n]{{3,400}})</(?P=name)>",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"(?:null|none|nil|true|false|undefined|unknown|empty|optional|required|redacted|hidden|masked|encrypted"
    r"|str|string|text|bool|boolean|int|integer|number|object|any|value|varchar|char|default|not|and|is"
    r"|your.*|my_?.*|example.*|change_?me|placeholder|insert.*|enter.*|.*\.\.\.|(.)\1*)\W*$",
    re.IGNORECASE,
)
_EXPRESSION = re.compile(
    r"\$[A-Za-z_{(]|[<{%]|&|@\w+$|(?:os|self|args|config|settings|process|env|request|params|data|user|this)\b[.\[]"
    r"|[A-Za-z_][\w.]*[(\[]"
)
_WORDLIKE = re.compile(r"[A-Za-z]+(?:[_\- ][A-Za-z]+)*$")


def assigned_secrets(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) of each value that follows a credential's name, in characters."""
    end = 0
    for core in _CORE.finditer(text.translate(_LOWER)):
        match = _ASSIGNMENT.match(text, core.start()) if core.start() >= end else None
        if match is None:
            continue
        group = "quoted" if match["quoted"] is not None else "bare"
        if _names_a_credential(text, match) and _is_value(match, group):
            end = match.end()
            yield (*match.span(group), "password" if match["password"] else "assigned")
    for match in _ELEMENT.finditer(text):
        if not _PLACEHOLDER.match(match["value"]):
            yield (*match.span("value"), "password")


def entropy(text: str) -> float:
    """Shannon entropy of the characters, in bits each (Shannon 1948)."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values())


def looks_random(text: str) -> bool:
    """Whether a token is too irregular to be words: 16 characters or more, letters and digits, high entropy.

    Three bits a character lets hexadecimal through, which cannot have more than four.
    """
    return (
        len(text) >= 16
        and any(char.isdigit() for char in text)
        and any(char.isalpha() for char in text)
        and not re.search(r"\s", text)
        and entropy(text) >= 3.0
    )


def _names_a_credential(text: str, match: re.Match[str]) -> bool:
    """Whether the name stands at a word's start (IRC_PASS, userPassword), not inside one (bypass, author)."""
    start = match.start()
    before = text[start - 1] if start else " "
    core = match["password"] or ""
    inside = before.isalpha() and not (before.islower() and text[start].isupper())
    if inside and len(core) < 6:
        return False
    first = match["suffix"][:1]
    # `passed`, `tokens`, `authority`: a lower-case letter goes on with another word.
    return not first.islower() or match["suffix"].lower().startswith(("key", "token", "secret", "value"))


def _is_value(match: re.Match[str], group: str) -> bool:
    value, separator = match[group], match["sep"]
    if _PLACEHOLDER.match(value) or _EXPRESSION.match(value):
        return False
    if not match["password"] or not separator.strip(" \t,"):
        # After a mere space or comma (netrc, command line flags, PHP's define) words are prose.
        return looks_random(value) or (bool(match["password"]) and not _WORDLIKE.match(value) and _mixed(value))
    if group == "quoted":
        return not re.search(r"\s", value)
    # Bare values: configuration writes `name=value` without a space; code and prose rarely do.
    spaced = separator != separator.strip()
    name = (match["password"] + match["suffix"]).lower()
    return value.lower() != name and (_mixed(value) or not (spaced or separator == ":"))


def _mixed(value: str) -> bool:
    return any(char.isdigit() for char in value) and any(char.isalpha() for char in value)
