-- The run that a span was folded into, and the day that holds it.
SELECT run_id, day, role
FROM run_spans
WHERE trace_id = $trace AND span_id = $span
