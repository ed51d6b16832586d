-- Every span that this day answers for, with its run: the spans of runs that start on $day, the
-- day's spans without a run, and the next day's tails of runs of this day. Row numbers are those of
-- `near`. A run is known by the row of its root.
CREATE OR REPLACE TEMP TABLE heads AS
SELECT
    root AS run,
    f.start_time AS start_time,
    r.trace_id AS trace_id,
    r.span_id AS root_span_id,
    coalesce(r.runtime, $bare) AS runtime,
    p.begun AS begun,
    {durable} AS durable,
    CASE WHEN {durable} THEN r.invocation_id ELSE r.trace_id || ':' || r.span_id END AS run_id,
    r.name AS root_name,
    r.duration_ns AS root_duration_ns,
    CASE
        WHEN r.status = 'error' OR (r.status = 'unset' AND r.error_type IS NOT NULL) THEN 'error'
        WHEN r.duration_ns IS NULL THEN 'open'
        ELSE 'ok'
    END AS root_status
FROM (
    SELECT p.root, p.first, bool_or(s.begins) FILTER (p.own) AS begun
    FROM placed_today p JOIN near s ON s.rowid = p.row WHERE p.root >= 0 GROUP BY ALL
) p
JOIN near r ON r.rowid = p.root
JOIN near f ON f.rowid = p.first;

CREATE OR REPLACE TEMP TABLE members AS
WITH today AS (
    SELECT p.*, h.run, h.run_id, h.begun, CAST(h.start_time AS DATE) AS run_day
    FROM placed_today p LEFT JOIN heads h ON h.run = p.root
),
tails AS (
    -- `run_day` is NULL for a run that began earlier still: its tail is kept with it, its row is
    -- written by its own day. The tail comes after all of today's spans in time.
    SELECT p.* REPLACE (p.place + 1000000000000 AS place), t.run, t.run_id, t.begun, nullif(t.run_day, $yesterday) AS run_day
    FROM placed_tomorrow p
    JOIN near s ON s.rowid = p.row
    JOIN near f ON f.rowid = p.first
    LEFT JOIN today t ON t.row = p.root
    WHERE s.day > $day AND f.day = $day
)
-- A run that woke after a day of silence is known, and has no second row.
SELECT m.* REPLACE (CASE WHEN run_day = $day AND begun THEN run END AS run), row = m.run AS is_root
FROM (
    SELECT t.* FROM today t JOIN near s ON s.rowid = t.row
    WHERE s.day = $day AND (t.run IS NULL OR t.run_day = $day)
    UNION ALL BY NAME
    SELECT * FROM tails
) m;

-- Copies count only where the run does not hold the original.
CREATE OR REPLACE TEMP TABLE originals AS
SELECT m.run
FROM members m JOIN near s ON s.rowid = m.row
WHERE m.run IN (SELECT c.run FROM members c JOIN near x ON x.rowid = c.row WHERE x.mirrors)
    AND NOT s.mirrors AND NOT m.annotation AND s.operation IN ('llm', 'tool')
GROUP BY m.run;
