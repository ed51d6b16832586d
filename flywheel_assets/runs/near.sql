-- The day's spans without their content, and those spans of its neighbours that share a trace or an
-- invocation with another day: a day costs little more than its own spans. `unit_spans` says what
-- the runtimes' units make of each span.
CREATE OR REPLACE TEMP TABLE reaching AS
WITH days_of_traces AS (
    SELECT trace_id, invocation_id, day FROM raw_spans
    WHERE day BETWEEN getvariable('yesterday') AND getvariable('tomorrow')
        AND EXISTS (SELECT 1 FROM raw_spans WHERE day BETWEEN getvariable('yesterday') AND getvariable('tomorrow') AND day != getvariable('day'))
),
invocations AS (
    SELECT invocation_id FROM days_of_traces WHERE invocation_id IS NOT NULL
    GROUP BY invocation_id HAVING min(day) < max(day)
)
SELECT trace_id FROM days_of_traces GROUP BY trace_id HAVING min(day) < max(day)
UNION
SELECT trace_id FROM days_of_traces SEMI JOIN invocations USING (invocation_id);

-- A few traces are looked for where the files are read: columns of all other spans are left alone then.
SET VARIABLE few = (SELECT CASE WHEN count(*) <= 500 THEN coalesce(list(trace_id), []) END FROM reaching);

SELECT * FROM unit_spans WHERE day = getvariable('day')
UNION ALL
SELECT * FROM unit_spans SEMI JOIN reaching USING (trace_id)
WHERE day BETWEEN getvariable('yesterday') AND getvariable('tomorrow') AND day != getvariable('day')
    AND (getvariable('few') IS NULL OR list_contains(getvariable('few'), trace_id));
