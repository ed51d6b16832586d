-- Evaluation events on spans of $day, one row per event, still in their own words.
WITH said AS (
    SELECT trace_id, span_id, parent_span_id, operation, response_id, links, unnest(events) AS event
    FROM raw_spans
    WHERE day = $day AND len(events) > 0
)
SELECT
    'event' AS form, trace_id, span_id, parent_span_id, coalesce(operation = 'evaluation', false) AS aside, links,
    response_id, event.time_unix_nano AS said_at, event.attributes_json AS body
FROM said
WHERE event.name = 'gen_ai.evaluation.result';
