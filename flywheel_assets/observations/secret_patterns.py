"""Finds credentials in a text: by their issuer's format, by their container, by their name."""

import re
from collections.abc import Iterator
from functools import cache

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import RegexBasedDetector

from flywheel_assets.observations.secret_assignments import assigned_secrets, looks_random
from flywheel_assets.observations.texts import Stretch, joined

# Plugins that are left out: public addresses are no secrets; Artifactory's format is too short to tell
# from words; those that go by a name are special cases of `assigned_secrets`, and slow; the token, URL
# and key rules here bound the value where theirs do not, or take quadratic time on hostile text.
_LEFT_OUT = {
    "Public IP (ipv4)",
    "Artifactory Credentials",
    "Basic Auth Credentials",
    "Cloudant Credentials",
    "IBM Cloud IAM Key",
    "IBM COS HMAC Credentials",
    "JSON Web Token",
    "NPM tokens",
    "Private Key",
    "SoftLayer Credentials",
}
_BLOCK = re.compile(
    r"-----BEGIN (?:[A-Z0-9 ]{1,30} )?PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:(?!-----BEGIN)[\s\S]){1,20000}?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\]*)"
)
_PUTTY = re.compile(r"Private-Lines: ?\d+(?:\s|\\[rn])+(?:[A-Za-z0-9+/=]{4,}(?:\s|\\[rn])*)+")
_FORMATS = {
    "crypt_hash": re.compile(
        r"\$(?:1|2[abxy]?|5|6|7|y|gy|apr1|argon2(?:id|i|d)|scrypt|pbkdf2(?:-sha\d+)?)\$[\w./$=,+\-]{20,}"
    ),
    "url_password": re.compile(r"(?<=://)[^\s/\"'<>\\]{0,80}?:[^\s/\"'<>\\]{3,200}@(?=[A-Za-z0-9\[])(?!/)"),
    "json_web_token": re.compile(r"(?<![\w=\-])eyJ[\w=\-]{8,}\.eyJ[\w=\-]{8,}(?:\.[\w=\-]{0,})?"),
    "api_token": re.compile(
        r"\b(?:sk-[A-Za-z0-9_\-]{20,}|github_pat_\w{22,}|AIza[\w\-]{35}|ya29\.[\w\-]{20,}|hf_[A-Za-z0-9]{30,}"
        r"|xapp-\d-[A-Z0-9\-a-z]{20,}|dop_v1_[a-f0-9]{64}|npm_[A-Za-z0-9]{36}|AGE-SECRET-KEY-1[A-Z0-9]{50,})"
    ),
}
_BEARER = re.compile(r"\b(?:bearer|basic)[ \t]+([A-Za-z0-9._~+/=\-]{16,})", re.IGNORECASE)
_LOGIN_CALL = re.compile(
    r"\b(?:log_?in|sign_?in|authenticate|auth)\(\s*(\\*[\"'])[^\"'\r\n]{1,100}\1\s*,\s*(\\*[\"'])([^\"'\s\\]{4,100})\2",
    re.IGNORECASE,
)
_PGPASS = re.compile(r"(?<!\S)[\w.*\-]+:\d{2,5}:[^:\s]{1,64}:[^:\s]{1,64}:(\S{4,100})(?!\S)")

# Kind, rule, and the group that holds the secret.
_RULES = (
    ("private_key", _BLOCK, 0),
    ("private_key", _PUTTY, 0),
    *((kind, rule, 0) for kind, rule in _FORMATS.items()),
    ("password", _LOGIN_CALL, 3),
    ("password", _PGPASS, 1),
)

# A text in which none of this occurs holds nothing that the rules find (a test compares). RE2 syntax:
# Arrow applies it to whole columns at once, which is what makes the gate fast.
PREFILTER = (
    r"(?i:pass(?:word|wd|phrase|code)?|pwd|secret|credential|token|salt|auth|key)[^\s:=,\"'`]{0,24}(?:\\*[\"'`])?\]?"
    r"(?:[ \t]*[:=,]|[ \t]+\S*[0-9]|[ \t]+\\*[\"'`])"
    r"|(?i:<[^<>\s]{0,24}(?:pass|pwd))"
    r"|(?i:bearer|basic)[ \t]+\S{6}"
    r"|(?i:login|log_in|signin|sign_in|authenticate|auth)\("
    r"|://[^\s/]*:[^\s/]*@"
    r"|\$(?:[1-7y]|2[abxy]|gy|apr1|argon2|scrypt|pbkdf2)[^\s$]*\$"
    r"|:\S+:\S+:\S+:"
    r"|PRIVATE KEY|Private-Lines|GR1348941|hooks\.slack|-us[0-9]|AGE-SECRET|AccountKey=|T3BlbkFJ|sq0csp|pypi-|xox"
    r"|(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{4}|(?:AC|SK)[a-z0-9]{6}|[rs]k_live|gh[opsur]_|SG\.[\w\-]{6}"
    r"|\b(?:sk-|xapp|AIza|ya29|hf_|dop_v1|npm_|github_pat)|eyJ[\w=\-]{4}"
    r"|gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-"
    r"|\.[\w\-]{6}\.[\w\-]{6}|[0-9]{6}:[\w\-]{6}|(?i:aws[^\n]*[\"'][0-9a-z/+]{6})"
)


def find_secrets(text: str) -> list[Stretch]:
    """Secrets in order of their start, overlapping ones joined."""
    return joined(_all(text))


def _all(text: str) -> Iterator[Stretch]:
    for kind, rule, group in (*_RULES, *issuer_formats()):
        for match in rule.finditer(text):
            yield Stretch(*match.span(group), kind)
    for match in _BEARER.finditer(text):
        if looks_random(match[1]):
            yield Stretch(*match.span(1), "authorization")
    for start, end, kind in assigned_secrets(text):
        yield Stretch(start, end, kind)


@cache
def issuer_formats() -> tuple[tuple[str, re.Pattern[str], int], ...]:
    """detect-secrets' token formats. All of a match is secret: their groups bound other things."""
    return tuple(
        (kind.lower().replace(" ", "_"), pattern, 0)
        for kind, plugin in sorted(get_mapping_from_secret_type_to_class().items())
        if issubclass(plugin, RegexBasedDetector) and kind not in _LEFT_OUT
        for pattern in plugin().denylist
    )
