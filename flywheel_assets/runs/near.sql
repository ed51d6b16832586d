-- The day's spans without their content, and those spans of its neighbours that share a trace or an
-- invocation with another day: a day costs little more than its own spans. `unit_spans` says what
-- the runtimes' units make of each span.
CREATE OR REPLACE TEMP TABLE reaching AS
WITH days_of_traces AS (
    SELECT trace_id, invocation_id, day FROM raw_spans
    WHERE day BETWEEN $yesterday AND $tomorrow
        AND EXISTS (SELECT 1 FROM raw_spans WHERE day BETWEEN $yesterday AND $tomorrow AND day != $day)
),
invocations AS (
    SELECT invocation_id FROM days_of_traces WHERE invocation_id IS NOT NULL
    GROUP BY invocation_id HAVING min(day) < max(day)
)
SELECT trace_id FROM days_of_traces GROUP BY trace_id HAVING min(day) < max(day)
UNION
SELECT trace_id FROM days_of_traces SEMI JOIN invocations USING (invocation_id);

-- Apart, so that of the neighbours little more is read than what reaches over midnight.
CREATE OR REPLACE TEMP TABLE near AS
SELECT * FROM unit_spans WHERE day = $day
UNION ALL
SELECT * FROM unit_spans SEMI JOIN reaching USING (trace_id)
WHERE day BETWEEN $yesterday AND $tomorrow AND day != $day;
