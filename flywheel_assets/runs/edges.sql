-- The spans of $first..$last (all of $whole, else only what reaches over midnight) as numbers; positions are row numbers of `near`, -1 where there is none.
WITH inside AS (
    SELECT rowid AS row, trace_id, span_id, parent_span_id, start_unix_nano, invocation_id, runtime,
        operation, status, stated_attempt
    FROM near
    WHERE day BETWEEN $first AND $last AND (day = $whole OR trace_id IN (SELECT trace_id FROM reaching))
),
traces AS (SELECT trace_id, min(row) AS row FROM inside GROUP BY trace_id),
invocations AS (SELECT invocation_id, min(row) AS row FROM inside WHERE invocation_id IS NOT NULL GROUP BY invocation_id)
SELECT
    s.row,
    s.start_unix_nano AS start,
    hash(s.trace_id, s.span_id) AS tie,
    coalesce(p.row, -1) AS parent,
    t.row AS trace,
    coalesce(i.row, -1) AS invocation,
    coalesce(v.row, -1) AS invoked,
    s.runtime IS NOT NULL AS opens,
    coalesce(s.operation = 'llm', false) AS llm,
    coalesce(s.operation = 'evaluation', false) AS evaluation,
    coalesce(s.operation = 'attempt' AND s.runtime = 'restate', false) AS tries,
    s.status = 'error' AS failed,
    s.stated_attempt::DOUBLE AS attempt
FROM inside s
JOIN traces t ON t.trace_id = s.trace_id
LEFT JOIN inside p ON p.trace_id = s.trace_id AND p.span_id = s.parent_span_id
LEFT JOIN invocations i ON i.invocation_id = s.invocation_id
LEFT JOIN invocations_made m ON m.trace_id = s.trace_id AND m.span_id = s.span_id
LEFT JOIN invocations v ON v.invocation_id = m.invokes;
