"""The request says by which tag the answer must end, and the answer is without it.

Only the first such call of a run: what is left out once is left out each time, for the same reason. Where the
request says that the answer is cut at the tag, it has to be without it.
"""

from flywheel_assets.examples.signs.sign import Sign

SIGN = Sign(
    name="missing_marker",
    version="1",
    sql=r"""
        WITH told AS (
            SELECT *, regexp_extract(asked,
                '(?i)(?:end|finish|conclude|close|stop|write)[^.]{0,80}?[''"`](?:\\+n)*(<[a-z_]{3,30}>)[''"`]', 1)
                AS tag
            -- Cheap to see, and without it there is no tag.
            FROM tried WHERE role = 'llm' AND contains(asked, '<') AND answered IS NOT NULL
        )
        SELECT run_id, trace_id, span_id, 'Instruction Non-compliance' AS kind,
            concat('does not end by ', tag, ' as asked') AS evidence
        FROM told WHERE tag != '' AND NOT contains(answered, tag) AND NOT contains(parameters, tag)
        QUALIFY row_number() OVER (PARTITION BY run_id, tag ORDER BY start_unix_nano, span_id) = 1
    """,
)
