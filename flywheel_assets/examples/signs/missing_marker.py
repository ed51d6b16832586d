"""The request says by which tag the answer must end, and the answer is without it.

Only the first such call of a run: what is left out once is left out each time, for the same reason. Where the
request says that the answer is cut at the tag, it has to be without it.
"""

from collections.abc import Iterator

from flywheel_assets.examples.signs.sign import Shown, Sign, Tried

LOOKS = {
    # Cheap to see is what no tag is without.
    "missing": r"""
        CASE WHEN role = 'llm' AND contains(asked, '<') AND answered IS NOT NULL THEN [
            tag FOR tag IN regexp_extract_all(asked,
                '(?i)(?:end|finish|conclude|close|stop|write)[^.]{0,80}?[''"`](?:\\+n)*(<[a-z_]{3,30}>)[''"`]', 1)[:1]
            IF NOT contains(answered, tag) AND NOT contains(concat_ws(' ', attr_text['llm.invocation_parameters'],
                attr_json['llm.invocation_parameters'], attr_json['gen_ai.request.stop_sequences']), tag)]
        END""",
}


def _find(tried: Tried) -> Iterator[Shown]:
    before = set[tuple[int, str]]()
    for place, tags in tried.seen["missing"].items():
        for tag in tags:
            if (first := (int(tried.spans.run[place]), tag)) not in before:
                before.add(first)
                yield place, "Instruction Non-compliance", f"does not end by {tag} as asked"


SIGN = Sign("missing_marker", "1", _find, LOOKS)
