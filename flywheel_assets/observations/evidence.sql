-- The day's examples as the gates see them, unordered, with their signatures and their arrival.
WITH today AS (
    SELECT DISTINCT ON (example_id) example_id, scope, content_hash, minhash
    FROM example_signatures
    WHERE day = $day
    ORDER BY example_id
),
repeated AS (
    SELECT
        signed.day,
        signed.example_id,
        first_value(signed.example_id) OVER (
            PARTITION BY signed.scope, signed.content_hash ORDER BY signed.start_time, signed.example_id
        ) AS first_id
    FROM (SELECT DISTINCT day, example_id, start_time, scope, content_hash FROM example_signatures) AS signed
    SEMI JOIN (SELECT scope, content_hash FROM today WHERE scope <> '') AS ours USING (scope, content_hash)
    WHERE signed.day <= $day
),
arrivals AS (
    SELECT spans.trace_id, spans.span_id, min(batches.landed_at) AS landed_at
    FROM raw_spans AS spans
    JOIN landed_batches AS batches ON batches.batch_id = spans.batch_id AND batches.status = 'accepted'
    WHERE spans.day = $day
    GROUP BY ALL
)
SELECT
    examples.*,
    coalesce(today.scope, '') AS scope,
    coalesce(today.minhash, []) AS minhash,
    CASE WHEN repeated.first_id <> examples.run_id THEN repeated.first_id END AS same_as,
    arrivals.landed_at
FROM labeled_examples AS examples
LEFT JOIN today ON today.example_id = examples.example_id
LEFT JOIN repeated ON repeated.example_id = examples.run_id AND repeated.day = examples.day
LEFT JOIN arrivals ON arrivals.trace_id = examples.trace_id AND arrivals.span_id = examples.root_span_id
WHERE examples.day = $day
