"""Sections that are compiled into a prompt: by their headings a prompt is recognised wherever it turns up."""

import re

LESSONS = "## Lessons from earlier runs"
EXAMPLES = "## Examples of good answers"
_COMPILED = re.compile(rf"\n*^(?={re.escape(LESSONS)}$|{re.escape(EXAMPLES)}$)", re.MULTILINE)


def parted(text: str) -> tuple[str, str]:
    """What stands before the first compiled section, and all from there on; both may be empty."""
    written, *compiled = _COMPILED.split(text, maxsplit=1)
    return written.rstrip(), "".join(compiled)
