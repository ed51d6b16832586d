"""A tool was called again with the same arguments, and had failed or said the same before."""

from collections.abc import Iterator

from flywheel_assets.examples.signs.sign import Shown, Sign, Tried

LOOKS = {
    "call": """
        CASE WHEN again AND asked IS NOT NULL THEN [asked, CASE WHEN erred THEN 'error' ELSE answered END] END""",
}


def _find(tried: Tried) -> Iterator[Shown]:
    before = set[tuple[object, ...]]()
    for place, (asked, ended) in tried.seen["call"].items():
        tool = tried.tool_name[place]
        call = int(tried.spans.run[place]), tool, asked, ended
        if call in before:
            yield place, "Resource Abuse", f"the same call as before, with the same end: {tool}"
        before.add(call)


SIGN = Sign("repeated_call", "1", _find, LOOKS)
