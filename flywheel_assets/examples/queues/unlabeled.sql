-- Runs that nobody said anything of in time, in random order.
SELECT 'run' AS target_kind, run_id AS target_id, day, skill, input_text AS request, output_text AS answer,
    'nobody said how it went' AS why
FROM labeled_examples
WHERE day BETWEEN $since AND $until AND grain = 'run' AND outcome_state = 'missing'
    AND input_text IS NOT NULL AND output_text IS NOT NULL
ORDER BY {draw}
LIMIT $most
