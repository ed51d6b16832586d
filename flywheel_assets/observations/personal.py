"""Finds personal data in a text: numbers and addresses by their form, names by what stands around them.

A person's name is taken for one where a title or a phrase announces it, or where a given name (as known
in some forty countries) is followed by another name. A given name alone names nobody. Organisations,
towns, countries and dates of other things are left alone.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from functools import cache

import faker.providers.person as people
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.texts import Stretch, joined

_WORD = r"(?:[A-ZÀ-ÖØ-ÞĀ-Ž]['’]?[A-Z]?[a-zß-öø-ÿā-ž][\w'’\-]*|[A-Z]\.)"
_OF = r"(?:[ \t]+(?:de|da|von|van|der|la|le|bin|al|dos|di)\b)*"
_NAME = rf"{_WORD}{_OF}(?:[ \t]+{_WORD}){{0,3}}"
_FULL_NAME = rf"{_WORD}{_OF}(?:[ \t]+{_WORD}){{1,3}}"
_STREET = (
    r"(?:street|st|avenue|ave|road|rd|drive|dr|lane|ln|court|boulevard|blvd|terrace|crescent|parkway|highway|hwy"
    r"|circle|close|grove|quay)"
)
_CALLED = r"(?:my name is|name'?s|call me)"
_SIGNED = r"(?:name:|dear|regards,?|sincerely,?|signed|ask for|speak (?:to|with)|patient|customer|passenger|guest)"
_KIN = r"(?:my|his|her) (?:son|daughter|brother|sister|wife|husband|friend)"
_CALL = r"(?:phone|call(?: me| us)?(?: at| on| back)?|tel|telephone|mobile|cell|fax|desk|office|messages? to)"
_WAY = r"(?:rua|via|viale|calle|avenida|rue|piazza|corso|plaza|paseo|camino|largo|travessa)"
_PAPER = r"(?:licen[cs]e|passport|social security|tax)"
_FOREIGN_STREET = (
    r"(?:stra(?:ß|ss)e|gasse|weg|allee|platz|damm|gata|gatan|v[äa]gen|vej|gade|katu|utca|útja|tér|ulica|ulice"
    r"|straat|laan|gracht|veien|backen|gränd|tänav|mnt)"
)

# Kind, and rules whose first group (else the whole match) is the datum.
_RULES: dict[str, tuple[str, ...]] = {
    "email": (r"\b[\w.+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63})+\b",),
    "ip_address": (
        r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.])",
        r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}(?![\w:])",
    ),
    "card": (r"(?<![\w.])\d(?:[ \-]?\d){11,18}(?![\w])",),
    "iban": (r"(?i)\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,4})?\b",),
    "social_security": (r"(?<![\w\-])\d{3}-\d{2}-\d{4}(?![\w\-])",),
    "phone": (
        r"(?<![\w.\-/])(?:\+|00)\d{1,3}[ .\-]?\(?\d{1,4}\)?(?:[ .\-]?\d{2,4}){2,4}(?!\w)",
        r"(?<![\w.\-/])\(\d{2,5}\) ?\d{2,4}(?:[ .\-]\d{2,4}){1,3}(?!\w)",
        r"(?<![\w.\-/])\d{3}[ .\-]\d{3}[ .\-]\d{4}(?!\w)",
        r"(?<![\w.\-/])0\d{2,4}[ \-]\d{2,4}(?:[ \-]\d{2,4}){1,3}(?!\w)",
        rf"(?i)\b{_CALL}\b[^\d\n+(]{{0,12}}\n?[ \t]*([\d(+][\d ()./\-]{{5,18}}\d)",
    ),
    "address": (
        rf"(?i)\b\d{{1,5}}\w?,?[ \t]+(?:[\w.'’\-]+[ \t]+){{1,4}}?{_STREET}\b\.?",
        r"(?i)\b(?:apt|apartment|suite)\.?[ \t]*#?\d+\w?\b",
        r"(?i)\bzip(?: ?code)?(?: is)?[: ]+(\d[\w \-]{2,8}\w)\b",
        r"(?i)\bp\.? ?o\.? ?box \d+",
        r"\b[A-Z]{2},? \d{5}(?:-\d{4})?\b",
        r"(?i)\b(?:my|his|her|their|our|home|mailing|shipping|new)[ \t]+address(?: to| is|:)[ \t\n]+([^.!?\n]{3,60})",
        # The lines of a postal address that follow its street: town, number, country.
        r"(?im)^[ \t]*(?:apt|suite)\.?[ \t]*#?\d+\w?[ \t]*\n([^\n]{2,30}(?:\n[^\n]{2,30}){0,2}\n?[ \t]*\d{4,6})\b",
        r"(?m)^[ \t]*,?[ \t]*(?:[A-Z]{2}[ \t]*\n?[ \t]*)?(\d{5})[ \t]*$",
    ),
    "address_abroad": (
        rf"(?i){_FOREIGN_STREET}[ \t]+\d{{1,4}}\w?\b",
        rf"(?i)\b\d{{1,5}}[ \t]+(?:[\w.'’\-]+[ \t]+){{0,2}}\w*{_FOREIGN_STREET}\b",
        rf"(?i)\b{_WAY}[ \t]+(?:[\w.'’\-]+[ \t]+){{0,4}}\d{{1,5}}\b",
    ),
    "birth": (r"(?i)\b(?:born|birth|birthday|dob)\b[^\n]{0,25}?(\d{1,4}[/.\-]\d{1,2}[/.\-]\d{1,4})",),
    "document": (rf"(?i)\b{_PAPER}(?: card)?(?:'s)? (?:number|no\.?|#)[ :]*(?:is )?([A-Z]?\d{{5,16}})\b",),
    "age": (
        r"(?i)\b(?:aged|just turned|age of|i'll turn)[ :]+(\d{1,3})\b(?! (?:minutes?|hours?|days?))",
        r"(?i)\b(\d{1,3})[ \-]years?[ \-]old\b",
    ),
    "name": (
        rf"\b(?:Mrs?|Ms|Miss|Dr|Prof|Madam|Herr|Frau|Señora?)\b\.?[ \t]+({_NAME})",
        rf"(?i:\b(?:{_CALLED}|{_SIGNED}))[ \t\n]{{1,3}}({_FULL_NAME})",
        rf"(?i:\b(?:{_CALLED}|{_KIN}))[ \t]+({_NAME})",
    ),
}
_COMPILED = {kind: tuple(re.compile(rule) for rule in rules) for kind, rules in _RULES.items()}
_BEGINS = re.compile(
    r"\b([A-ZÀ-ÖØ-ÞĀ-Ž][\w'’\-]+)[ \t]+(?:(?:de|da|von|van|der|la|bin|al|dos|di)[ \t]+)?(?=[A-ZÀ-ÖØ-ÞĀ-Ž])"
)
_NAMES = re.compile(_FULL_NAME)

# A text holds data of a kind only where all of its hints occur (a test compares). RE2 syntax: Arrow
# applies them to whole columns at once, and most texts are done with.
HINTS: dict[str, tuple[str, ...]] = {
    "email": ("@",),
    "ip_address": (r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|(?::[0-9a-fA-F]{1,4}){7}",),
    "card": (r"[0-9](?:[ \-]?[0-9]){11}",),
    "iban": (r"[A-Za-z]{2}[0-9]{2} ?[A-Za-z0-9]{4} ?[A-Za-z0-9]{4}",),
    "social_security": (r"[0-9]{3}-[0-9]{2}-[0-9]{4}",),
    "phone": (r"[0-9][0-9 ()./\-]{3,}[0-9]",),
    "address": (
        r"[0-9]|(?i:address)",
        rf"(?i)\b{_STREET}\b|\b(?:apt|apartment|suite|zip|box)\b|address|[0-9]{{5}}",
    ),
    "address_abroad": (
        rf"(?i){_FOREIGN_STREET}[ \t]+[0-9]|[0-9][ \t]+(?:\S+[ \t]+){{0,2}}\S*{_FOREIGN_STREET}|\b{_WAY}[ \t]",
    ),
    "birth": (r"(?i)born|birth|dob", r"[0-9][/.\-][0-9]"),
    "document": (rf"(?i){_PAPER}", r"[0-9]{5}"),
    "age": (r"(?i)aged|turned|age of|i'll turn|years?[ \-]old", "[0-9]"),
    "name": (rf"(?i)\b(?:mrs?|ms|miss|dr|prof|madam|herr|frau|señora?)\b|{_CALLED}|{_SIGNED}|{_KIN}",),
    "given_name": (r"\p{Lu}\S+[ \t]+(?:[a-z]{2,3}[ \t]+)?\p{Lu}",),
}
# Of each kind the hint that says most: many texts hold none, which one pass tells in a tenth of the time.
ANY_HINT = "|".join(f"(?:{max(hints, key=len)})" for hints in HINTS.values())


def hinted(texts: pa.Array) -> dict[int, list[str]]:
    """The kinds that each text may hold, by its position; texts that hold none are left out."""
    filled = pc.fill_null(texts, "")
    found: dict[int, list[str]] = {}
    for kind, hints in HINTS.items():
        masks = (pc.match_substring_regex(filled, hint).to_numpy(zero_copy_only=False) for hint in hints)
        for position in np.logical_and.reduce(list(masks)).nonzero()[0].tolist():
            found.setdefault(position, []).append(kind)
    return found


def find_personal(text: str, kinds: Iterable[str] = tuple(HINTS)) -> list[Stretch]:
    """Personal data of the kinds, in order of their start, overlapping ones joined."""
    return joined({datum for kind in kinds for datum in _of(kind, text)})


def _of(kind: str, text: str) -> Iterator[Stretch]:
    if kind == "given_name":
        yield from _by_given_name(text)
    for rule in _COMPILED.get(kind, ()):
        for match in rule.finditer(text):
            if kind != "card" or _luhn(match[0]):
                start, end = match.span(1 if rule.groups else 0)
                # A street's name may end in the word for street; looking for it from its start takes ten times as long.
                while start and text[start - 1].isalpha() and text[start].isalpha():
                    start -= 1
                yield Stretch(start, end, kind)


def _by_given_name(text: str) -> Iterator[Stretch]:
    given = given_names()
    for match in _BEGINS.finditer(text):
        if match[1] in given and (whole := _NAMES.match(text, match.start())):
            yield Stretch(*whole.span(), "name")


@cache
def given_names() -> frozenset[str]:
    """Given names in Latin script."""
    names: set[str] = set()
    for module in pkgutil.iter_modules(people.__path__):
        provider = importlib.import_module(f"{people.__name__}.{module.name}").Provider
        for attribute in ("first_names", "first_names_female", "first_names_male"):
            listed = getattr(provider, attribute, ())
            # Some countries' providers put their lists together only when they are asked for a name.
            names.update(listed if not isinstance(listed, property) else ())
    return frozenset(name for name in names if len(name) > 2 and name.isalpha() and name[0].isupper() and name < "ɐ")


def _luhn(number: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1)."""
    digits = [int(char) for char in reversed(number) if char.isdigit()]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0
