-- Every span that this day answers for, with its run: the spans of runs that start on $day, the
-- day's spans without a run, and the next day's tails of runs of this day. `run_day` is NULL for a
-- run that began earlier still: its tail is kept with it, its row is written by its own day.
CREATE OR REPLACE TEMP TABLE members AS
WITH today AS (
    SELECT s.*,
        CAST(f.start_time AS DATE) AS run_day,
        f.start_time AS run_start,
        r.trace_id AS root_trace_id,
        r.span_id AS root_span_id,
        r.runtime IN ('restate', 'inngest') AS durable,
        CASE WHEN r.runtime IN ('restate', 'inngest') THEN r.invocation_id
            ELSE concat(r.trace_id, ':', r.span_id) END AS run_id,
        coalesce(r.runtime, $bare) AS run_runtime
    FROM placed_today s
    LEFT JOIN placed_today r ON r.idx = s.root_idx
    LEFT JOIN placed_today f ON f.idx = s.first_idx
),
tails AS (
    -- Later than every span of $day, so they come after them in time.
    SELECT s.* REPLACE (s.idx + 1000000000000 AS idx),
        CASE WHEN r.run_day = $day THEN r.run_day END AS run_day,
        r.run_start, r.root_trace_id, r.root_span_id, r.durable, r.run_id, r.run_runtime
    FROM placed_tomorrow s
    JOIN placed_tomorrow f ON f.idx = s.first_idx
    JOIN placed_tomorrow b ON b.idx = s.root_idx
    LEFT JOIN today r ON r.trace_id = b.trace_id AND r.span_id = b.span_id AND r.root_idx >= 0
    WHERE s.day > $day AND CAST(f.start_time AS DATE) = $day
),
kept AS (
    SELECT * REPLACE (CASE WHEN root_idx >= 0 THEN run_id END AS run_id)
    FROM today WHERE day = $day AND (root_idx < 0 OR run_day = $day)
    UNION ALL BY NAME
    SELECT * FROM tails
)
SELECT *,
    trace_id = root_trace_id AND span_id = root_span_id AS is_root,
    operation = 'llm' AND NOT annotation AS is_llm,
    operation = 'tool' AND NOT annotation AS is_tool
FROM kept;

-- Copies count only where the run does not hold the original.
CREATE OR REPLACE TEMP TABLE originals AS
SELECT run_id FROM members
WHERE run_id IS NOT NULL AND NOT mirrors
GROUP BY run_id HAVING bool_or(is_llm OR is_tool);

CREATE OR REPLACE TEMP VIEW counted AS
SELECT *, CASE WHEN is_root THEN -1 ELSE idx END AS turn
FROM members
WHERE run_day IS NOT NULL AND NOT (mirrors AND run_id IN (SELECT run_id FROM originals));
