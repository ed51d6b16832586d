-- The day's examples as the gates see them, unordered, with their signatures and their arrival. A row
-- that was written twice comes out more than once.
WITH today AS (
    SELECT example_id, scope, content_hash, minhash FROM example_signatures WHERE day = $day
),
firsts AS (
    SELECT scope, content_hash, arg_min(example_id, (start_time, example_id)) AS first_id
    FROM example_signatures
    SEMI JOIN (SELECT scope, content_hash FROM today WHERE scope <> '') AS ours USING (scope, content_hash)
    WHERE day <= $day
    GROUP BY ALL
),
repeated AS (
    SELECT today.example_id, firsts.first_id
    FROM today
    JOIN firsts USING (scope, content_hash)
    WHERE today.scope <> '' AND firsts.first_id <> today.example_id
),
arrivals AS (
    SELECT spans.trace_id, spans.span_id, min(batches.landed_at) AS landed_at, min(spans.service_name) AS service_name
    FROM raw_spans AS spans
    SEMI JOIN labeled_examples AS roots ON roots.trace_id = spans.trace_id AND roots.root_span_id = spans.span_id
    JOIN landed_batches AS batches ON batches.batch_id = spans.batch_id AND batches.status = 'accepted'
    WHERE spans.day = $day
    GROUP BY ALL
),
reviews AS (
    SELECT target_id, arg_max(value_text, (observed_at, feedback_id)) AS review,
        arg_max(author_id, (observed_at, feedback_id)) AS reviewer
    FROM feedback
    WHERE name = 'flywheel.review' AND tier = 'human' AND author_id <> 'unregistered'
        AND value_text IN ('release', 'refuse')
    GROUP BY target_id
)
SELECT
    examples.*,
    coalesce(today.scope, '') AS scope,
    coalesce(today.minhash, []) AS minhash,
    repeated.first_id AS same_as,
    arrivals.landed_at,
    arrivals.service_name,
    reviews.review,
    reviews.reviewer
FROM labeled_examples AS examples
LEFT JOIN today ON today.example_id = examples.example_id
LEFT JOIN repeated ON repeated.example_id = examples.run_id
LEFT JOIN arrivals ON arrivals.trace_id = examples.trace_id AND arrivals.span_id = examples.root_span_id
LEFT JOIN reviews ON reviews.target_id = examples.example_id
WHERE examples.day = $day
