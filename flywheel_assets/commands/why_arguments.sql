-- The $most strongest runs for and the $most strongest against an entry, each with its spans.
WITH ranked AS (
    SELECT *, row_number() OVER (PARTITION BY weight > 0 ORDER BY abs(weight) DESC, run_id) AS place
    FROM decision_arguments WHERE entry_id = $entry AND weight <> 0
)
SELECT a.run_id, a.unit_id, a.side, a.outcome, a.weight, a.trace_id || ':' || a.root_span_id AS span,
       (SELECT count(*) FROM run_spans AS s WHERE s.run_id = a.run_id) AS spans
FROM ranked AS a
WHERE a.place <= $most
ORDER BY a.weight DESC, a.run_id
