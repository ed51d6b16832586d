-- What spans of $day say in their attributes: annotations, and scores of Inngest functions.
WITH candidates AS (
    SELECT *, dialect = 'inngest' AND name = 'metadata' AND invocation_id IS NOT NULL AS scored
    FROM raw_spans
    WHERE day = $day AND ({candidate})
),
found AS (
    SELECT *, [k FOR k IN map_keys(attr_text) IF {annotation}] AS keys
    FROM candidates
    WHERE NOT scored OR attr_text['_inngest.metadata.kind'] = 'inngest.score'
)
SELECT
    CASE WHEN scored THEN 'inngest' ELSE 'annotations' END AS form,
    trace_id, span_id, parent_span_id, coalesce(operation = 'evaluation', false) AS aside, links,
    session_id, invocation_id, start_unix_nano + coalesce(duration_ns, 0) AS said_at,
    CASE
        WHEN scored THEN coalesce(attr_json['_inngest.metadata.values'], attr_text['_inngest.metadata.values'])
        ELSE CAST(to_json(map_concat(
            map_from_entries([{'k': k, 'v': to_json(attr_text[k])} FOR k IN keys]),
            map_from_entries([{'k': k, 'v': to_json(attr_int[k])} FOR k IN map_keys(attr_int) IF {annotation}]),
            map_from_entries([{'k': k, 'v': to_json(attr_double[k])} FOR k IN map_keys(attr_double) IF {annotation}]),
            map_from_entries([{'k': k, 'v': to_json(attr_bool[k])} FOR k IN map_keys(attr_bool) IF {annotation}])
        )) AS TEXT)
    END AS body
FROM found
WHERE scored OR len(keys) > 0;
