-- One row per skill × arm × segment of the day, at run grain. Sums are taken in run order, so that
-- the same rows give the same bits however they were stored.
WITH runs AS (
    SELECT DISTINCT ON (example_id)
        example_id, skill, arm, coalesce(segment, 'none') AS segment, session_id, outcome_state,
        cost_usd, duration_ns, status, row_number() OVER (ORDER BY example_id) AS place
    FROM labeled_examples
    WHERE day = $day AND grain = 'run' AND skill IS NOT NULL AND arm IS NOT NULL
    ORDER BY example_id
),
evidence AS (
    SELECT DISTINCT ON (example_id) example_id, outcome, weight
    FROM gated_observations
    WHERE day = $day AND grain = 'run' AND outcome_state = 'labeled'
    ORDER BY example_id
),
counted AS (
    -- What a gate refused says nothing of costs and durations either; what waits for its outcome does.
    SELECT
        runs.* REPLACE (
            CASE WHEN evidence.example_id IS NOT NULL OR outcome_state <> 'labeled' THEN cost_usd END AS cost_usd,
            CASE WHEN evidence.example_id IS NOT NULL OR outcome_state <> 'labeled' THEN duration_ns END AS duration_ns
        ),
        evidence.example_id IS NOT NULL AS admitted,
        evidence.weight AS w,
        evidence.outcome AS y
    FROM runs
    LEFT JOIN evidence USING (example_id)
),
joined AS (
    SELECT
        *,
        -- A run without a session is its own cluster.
        coalesce('s' || session_id, 'r' || example_id) AS cluster,
        duration_ns / 1e9 AS seconds,
        -- Below a millisecond counts into the first bucket, above twelve days into the last.
        CASE
            WHEN duration_ns IS NOT NULL
            THEN least(119, greatest(0, floor(4 * log2(greatest(duration_ns, 1) / 1e6))))::INTEGER
        END AS bucket
    FROM counted
),
clusters AS (
    SELECT skill, arm, segment, cluster, sum(w ORDER BY place) AS cw, sum(w * y ORDER BY place) AS cwy
    FROM joined
    WHERE admitted
    GROUP BY ALL
),
clustered AS (
    SELECT
        skill,
        arm,
        segment,
        count(*) AS clusters,
        sum(cw * cw ORDER BY cluster) AS sum_cluster_ww,
        sum(cwy * cw ORDER BY cluster) AS sum_cluster_wyw,
        sum(cwy * cwy ORDER BY cluster) AS sum_cluster_wywy
    FROM clusters
    GROUP BY ALL
),
summed AS (
    SELECT
        skill,
        arm,
        segment,
        count(*) AS runs,
        count(*) FILTER (WHERE admitted) AS admitted,
        count(*) FILTER (WHERE NOT admitted AND outcome_state = 'missing') AS missing,
        count(*) FILTER (WHERE NOT admitted AND outcome_state IN ('immature', 'open')) AS immature,
        count(*) FILTER (WHERE NOT admitted AND outcome_state = 'labeled') AS refused,
        coalesce(sum(w ORDER BY place), 0) AS sum_w,
        coalesce(sum(w * w ORDER BY place), 0) AS sum_ww,
        coalesce(sum(w * y ORDER BY place), 0) AS sum_wy,
        coalesce(sum(w * y * y ORDER BY place), 0) AS sum_wyy,
        count(cost_usd) AS costed,
        coalesce(sum(cost_usd ORDER BY place), 0) AS sum_cost,
        coalesce(sum(cost_usd * cost_usd ORDER BY place), 0) AS sum_cost_sq,
        count(*) FILTER (WHERE status = 'error') AS errors,
        count(seconds) AS timed,
        coalesce(sum(seconds ORDER BY place), 0) AS sum_seconds,
        histogram(bucket) AS buckets
    FROM joined
    GROUP BY ALL
)
SELECT
    $day::DATE AS day,
    summed.* EXCLUDE (buckets),
    split_part(arm, '|', 1) AS model,
    nullif(split_part(arm, '|', 2), '-') AS prompt_version,
    coalesce(clusters, 0) AS clusters,
    coalesce(sum_cluster_ww, 0) AS sum_cluster_ww,
    coalesce(sum_cluster_wyw, 0) AS sum_cluster_wyw,
    coalesce(sum_cluster_wywy, 0) AS sum_cluster_wywy,
    list_transform(range(120), lambda i: coalesce(buckets[i::INTEGER], 0)::BIGINT) AS latency_buckets
FROM summed
LEFT JOIN clustered USING (skill, arm, segment)
ORDER BY skill, arm, segment
