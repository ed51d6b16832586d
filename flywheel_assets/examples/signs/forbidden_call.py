"""The instructions forbid something by name, and the answer's code calls it: "do not print …", then `print(…)`."""

from flywheel_assets.examples.signs.sign import Sign

SIGN = Sign(
    name="forbidden_call",
    version="1",
    sql=r"""
        WITH told AS (
            SELECT *, list_distinct(regexp_extract_all(asked,
                '\b(?:DO NOT|NEVER|MUST NOT) (?:use |call )?`?([a-z_]{3,30})', 1)) AS names
            -- Cheap to see, and without one of them nothing is forbidden.
            FROM tried WHERE role = 'llm' AND answered IS NOT NULL
                AND (contains(asked, ' NOT ') OR contains(asked, 'NEVER '))
        ),
        named AS (SELECT *, unnest(names) AS forbidden FROM told)
        SELECT run_id, trace_id, span_id, 'Instruction Non-compliance' AS kind,
            concat('calls ', forbidden, ', which it was told not to') AS evidence
        FROM named WHERE contains(answered, forbidden || '(')
    """,
)
