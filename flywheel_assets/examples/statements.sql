-- Everything that was said on spans of $day, one row per statement, still in its own words.
WITH said AS (
    SELECT trace_id, span_id, parent_span_id, operation, response_id, links, unnest(events) AS event
    FROM raw_spans
    WHERE day = $day AND len(events) > 0
)
SELECT
    'event' AS form, trace_id, span_id, parent_span_id, coalesce(operation = 'evaluation', false) AS aside, links,
    NULL AS session_id, response_id, event.time_unix_nano AS said_at, event.attributes_json AS body
FROM said
WHERE event.name = 'gen_ai.evaluation.result'
UNION ALL BY NAME
-- The map of text attributes is only looked through where annotations are to be expected.
SELECT
    'annotations' AS form, trace_id, span_id, parent_span_id, coalesce(operation = 'evaluation', false) AS aside, links,
    session_id, start_unix_nano + coalesce(duration_ns, 0) AS said_at,
    CAST(to_json(map_concat(
        map_from_entries([{'k': e.key, 'v': to_json(e.value)} FOR e IN map_entries(attr_text) IF {annotation}]),
        map_from_entries([{'k': e.key, 'v': to_json(e.value)} FOR e IN map_entries(attr_int) IF {annotation}]),
        map_from_entries([{'k': e.key, 'v': to_json(e.value)} FOR e IN map_entries(attr_double) IF {annotation}]),
        map_from_entries([{'k': e.key, 'v': to_json(e.value)} FOR e IN map_entries(attr_bool) IF {annotation}])
    )) AS TEXT) AS body
FROM raw_spans
WHERE day = $day AND (dialect = 'openinference' OR operation = 'evaluation')
    AND len([k FOR k IN map_keys(attr_text) IF contains(k, 'annotations.') OR starts_with(k, 'evaluations.')]) > 0
UNION ALL BY NAME
SELECT
    'inngest' AS form, trace_id, span_id, parent_span_id, false AS aside, links, invocation_id AS session_id,
    start_unix_nano AS said_at,
    coalesce(attr_json['_inngest.metadata.values'], attr_text['_inngest.metadata.values']) AS body
FROM raw_spans
WHERE day = $day AND dialect = 'inngest' AND name = 'metadata' AND invocation_id IS NOT NULL
    AND attr_text['_inngest.metadata.kind'] = 'inngest.score';
