-- In the shape of the system-bus's memory_observations. Only what every gate allowed is published.
WITH gates AS (
    SELECT example_id, min(confidence) AS confidence,
           string_agg(gate || ' ' || gate_version, ', ' ORDER BY gate) AS versions
    FROM gate_verdicts
    GROUP BY example_id
)
SELECT
    o.example_id AS id, coalesce(o.session_id, '') AS session_id,
    concat_ws(
        chr(10),
        coalesce(o.skill, 'unknown skill') || ' on ' || coalesce(o.model, 'unknown model')
            || ': outcome ' || coalesce(printf('%.2f', o.outcome), 'unknown') || ' by ' || coalesce(o.tier, 'nobody'),
        'asked: ' || left(o.input_text, 2000),
        'answered: ' || left(o.output_text, 2000)
    ) AS observation,
    'observation_text' AS observation_type, 'flywheel' AS source,
    epoch(o.start_time)::BIGINT AS timestamp, epoch(o.start_time)::BIGINT AS updated_at,
    1::BIGINT AS merged_count, false AS stale, 0::BIGINT AS recall_count, o.weight AS retrieval_priority,
    'allow' AS write_verdict, coalesce(g.confidence, o.confidence) AS write_confidence,
    coalesce(nullif(array_to_string(o.remarks, ', '), ''), 'every gate allowed') AS write_reason,
    coalesce(g.versions, '-') AS write_gate_version, false AS write_gate_fallback,
    coalesce(o.skill, 'unknown') AS category_id, o.confidence AS category_confidence,
    'external' AS category_source, 'flywheel-skills' AS taxonomy_version,
    o.outcome, o.arm, o.segment, o.run_id, o.trace_id, o.redacted
FROM gated_observations AS o
LEFT JOIN gates AS g ON g.example_id = o.example_id
WHERE o.grain = 'run'
ORDER BY o.start_time, o.example_id
