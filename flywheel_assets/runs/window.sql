-- Spans of $first..$last in order of time, each with the position of its parent, of its trace's
-- first span and of its invocation's. Days other than $whole come in only with the traces that they
-- share with their neighbour, so a day costs little more than its own spans.
CREATE OR REPLACE TEMP TABLE shared AS
WITH invocations AS (
    SELECT invocation_id FROM unit_spans
    WHERE day BETWEEN $first AND $last AND invocation_id IS NOT NULL
    GROUP BY invocation_id HAVING min(day) < max(day)
)
SELECT trace_id FROM unit_spans
WHERE day BETWEEN $first AND $last
GROUP BY trace_id HAVING min(day) < max(day)
UNION
SELECT trace_id FROM unit_spans SEMI JOIN invocations USING (invocation_id)
WHERE day BETWEEN $first AND $last;

CREATE OR REPLACE TEMP TABLE spans_of_window AS
SELECT *, row_number() OVER (ORDER BY start_unix_nano, trace_id, span_id) - 1 AS idx
FROM (
    SELECT DISTINCT ON (trace_id, span_id) *
    FROM unit_spans
    WHERE day BETWEEN $first AND $last
        AND (day = $whole OR trace_id IN (SELECT trace_id FROM shared))
);
