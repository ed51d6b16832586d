-- Runs whose label does not fit what else is known of them, the least fitting first, unless a person spoke since.
SELECT 'run' AS target_kind, run_id AS target_id, day, skill, input_text AS request, output_text AS answer,
    'its label does not fit the run' AS why
FROM labeled_examples
WHERE day BETWEEN $since AND $until AND grain = 'run' AND weight < 2 * confidence - 1 - 1e-9
    AND input_text IS NOT NULL AND output_text IS NOT NULL
    AND run_id NOT IN (SELECT target_id FROM feedback WHERE tier = 'human' AND name = $label)
ORDER BY weight / (2 * confidence - 1), {draw}
LIMIT $most
