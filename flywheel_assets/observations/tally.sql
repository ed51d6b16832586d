-- What each service said of each arm on the day. Runs of one session, or of one user, are one cluster: they
-- share what made them succeed. A run without a user carries its service's name as principal.
WITH services AS (
    SELECT trace_id, span_id, min(service_name) AS service_name
    FROM raw_spans
    WHERE day = $day AND service_name IS NOT NULL
    GROUP BY ALL
),
said AS (
    SELECT
        examples.skill,
        services.service_name AS source,
        examples.arm,
        coalesce(session_id, nullif(principal_id, services.service_name), run_id) AS cluster,
        outcome,
        outcome - avg(outcome) OVER (PARTITION BY examples.skill, services.service_name, examples.arm) AS deviation
    FROM (SELECT DISTINCT ON (example_id) * FROM labeled_examples WHERE day = $day AND grain = 'run') AS examples
    JOIN services ON services.trace_id = examples.trace_id AND services.span_id = examples.root_span_id
    WHERE outcome IS NOT NULL AND skill IS NOT NULL AND arm IS NOT NULL
),
clusters AS (
    SELECT skill, source, arm, count(*) AS runs, sum(outcome) AS outcomes, sum(deviation) AS deviation
    FROM said
    GROUP BY skill, source, arm, cluster
)
SELECT
    CAST($day AS DATE) AS day, skill, source, arm,
    CAST(sum(runs) AS BIGINT) AS runs,
    -- Rounded: in another order of the rows sums end in other bits.
    round(sum(outcomes), 9) AS outcomes,
    round(sum(deviation * deviation), 9) AS spread
FROM clusters
GROUP BY skill, source, arm
ORDER BY skill, source, arm
