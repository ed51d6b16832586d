-- What the gates see of the day's examples beside their facts, unordered: their arrival, what was said of them. A row
-- that was written twice comes out more than once. Their texts and signatures are long, and pass through no join.
-- By their hashes, which are counted sooner than the texts: what nobody said twice is nearly all.
WITH again AS (
    SELECT hash(scope, content_hash) AS said
    FROM example_signatures
    WHERE day <= $day AND scope <> ''
    GROUP BY ALL
    HAVING count(*) > 1
),
firsts AS (
    SELECT scope, content_hash, arg_min(example_id, (start_time, example_id)) AS first_id
    FROM example_signatures
    SEMI JOIN again ON again.said = hash(scope, content_hash)
    WHERE day <= $day
    GROUP BY ALL
),
repeated AS (
    SELECT today.example_id, firsts.first_id
    FROM example_signatures AS today
    JOIN firsts USING (scope, content_hash)
    WHERE today.day = $day AND today.scope <> '' AND firsts.first_id <> today.example_id
),
arrivals AS (
    SELECT spans.trace_id, spans.span_id, min(batches.landed_at) AS landed_at, min(spans.service_name) AS service_name,
        arg_min(batches.source, batches.landed_at) AS door,
        -- Of the days in the batch that it came in, the share that was at most a week old.
        arg_min(
            list_avg([CAST(of > CAST(batches.landed_at AS DATE) - 7 AS DOUBLE) FOR of IN batches.days]),
            batches.landed_at
        ) AS batch_fresh
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
),
out_of_line AS (
    SELECT skill, source, arg_max(arm, log_e) AS arm
    FROM source_findings
    WHERE day >= $day AND since <= $day
    GROUP BY ALL
)
SELECT
    examples.example_id,
    repeated.first_id AS same_as,
    arrivals.landed_at,
    arrivals.door,
    arrivals.batch_fresh,
    arrivals.service_name,
    out_of_line.arm AS out_of_line,
    reviews.review,
    reviews.reviewer
FROM labeled_examples AS examples
LEFT JOIN repeated ON repeated.example_id = examples.run_id
LEFT JOIN arrivals ON arrivals.trace_id = examples.trace_id AND arrivals.span_id = examples.root_span_id
LEFT JOIN out_of_line ON out_of_line.skill = examples.skill AND out_of_line.source = arrivals.service_name
LEFT JOIN reviews ON reviews.target_id = examples.example_id
WHERE examples.day = $day
