"""Which attribute is believed for which column, written from the dialects: `docs/dialects.md`."""

import sys
from collections.abc import Mapping

from flywheel_assets.spans.dialect import ByKey, ByName, ByValue, Rule
from flywheel_assets.spans.promote import PROMOTED
from flywheel_assets.spans.registry import dialects_in_order

HEAD = """# Dialects: who is believed

Written by `python -m flywheel_assets.spans.precedence`; do not edit.

A span may speak several conventions at once. For each column of `raw_spans` the first attribute of its
list that the span carries, and that says something (no empty text, no value that was never set), is
believed. What was not believed stays in the attribute maps, and `dialect_losses` counts it: on how many
spans, and on how many of these it said something else.

Conventions in the order in which they are believed: {order}.

- `key#member` is a member of the JSON object in that attribute; members come after all whole attributes.
- `<i>` is an index; of several present the greatest is meant.
- A span's name names its tool, agent or workflow only where nothing else does.
- `input_key` and `output_key` name the attribute that holds content. NULL there means that no content was
  captured, which is not the same as empty content.
- `input_tokens` and `output_tokens` are as reported. `fresh_input_tokens`, `cache_read_tokens` and
  `cache_write_tokens` are parts that do not overlap, and so are `plain_output_tokens` and
  `reasoning_tokens`. Whether a provider counts a part among its whole or beside it is told by, in this
  order: a part larger than its whole; the reported total; OpenInference, whose details are parts of the
  whole; the provider (Anthropic counts its cache beside the input); else parts are among the whole.
"""


def precedence() -> str:
    """The page."""
    dialects = dialects_in_order()
    order = ", ".join(f"`{dialect.name}`" for dialect in dialects)
    lines = [HEAD.format(order=order), "## Columns\n", "| column | believed first to last |", "|---|---|"]
    for column in PROMOTED:
        keys = [key for dialect in dialects for key in dialect.columns.get(column.name, ())]
        whole, members = [key for key in keys if "#" not in key], [key for key in keys if "#" in key]
        named = [
            f"{'the name' if one.key is None else f'`{one.key}`'} of {dialect.name} {one.operation} spans"
            for dialect in dialects
            for one in dialect.named
            if one.column == column.name
        ]
        if keys or named:
            told = [*(f"`{key}`" for key in (*whole, *members)), *named]
            lines.append(f"| `{column.name}` | {', '.join(told)} |")
    lines += ["\n## Operation\n", "| dialect | told by | operation |", "|---|---|---|"]
    lines += [f"| `{dialect.name}` | {_rule(rule)} |" for dialect in dialects for rule in dialect.operations]
    return "\n".join(lines) + "\n"


def _rule(rule: Rule) -> str:
    match rule:
        case ByKey():
            return f"`{rule.key}` is there | {rule.operation}"
        case ByValue():
            return f"`{rule.key}` | {_said(rule.operations)}"
        case ByName():
            where = f" of spans with `{rule.requires}`" if rule.requires else ""
            return f"first word of the name{where} | {_said(rule.operations)}"


def _said(operations: Mapping[str, str]) -> str:
    return ", ".join(f"{word} → {operation}" for word, operation in operations.items())


if __name__ == "__main__":
    sys.stdout.write(precedence())
