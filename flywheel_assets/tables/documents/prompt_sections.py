"""Headings of the sections that are compiled into a prompt: by them a prompt is recognised wherever it turns up."""

LESSONS = "## Lessons from earlier runs"
EXAMPLES = "## Examples of good answers"
