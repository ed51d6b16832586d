"""The instructions forbid something by name, and the answer's code calls it: "do not print …", then `print(…)`."""

from collections.abc import Iterator

from flywheel_assets.examples.signs.sign import Shown, Sign, Tried

LOOKS = {
    # Cheap to see are two words without one of which nothing is forbidden.
    "forbidden": r"""
        CASE WHEN role = 'llm' AND answered IS NOT NULL AND (contains(asked, 'NOT ') OR contains(asked, 'NEVER '))
            THEN list_filter(
                regexp_extract_all(asked, '\b(?:DO NOT|NEVER|MUST NOT) (?:use |call )?`?([a-z_]{3,30})', 1),
                lambda name: contains(answered, name || '('))
        END""",
}


def _find(tried: Tried) -> Iterator[Shown]:
    for place, names in tried.seen["forbidden"].items():
        for name in names:
            yield place, "Instruction Non-compliance", f"calls {name}, which it was told not to"


SIGN = Sign("forbidden_call", "1", _find, LOOKS)
