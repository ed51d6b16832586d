-- Attempts that never ran: they say they waited longer than there was time since what came before. With
-- nothing before it, only a first attempt is believed. A tenth is left to clocks and scheduling.
CREATE OR REPLACE TEMP TABLE idle AS
WITH waiting AS (
    SELECT DISTINCT m.run FROM members m JOIN near s ON s.rowid = m.row
    WHERE m.run IS NOT NULL AND s.waited_ns IS NOT NULL
),
moments AS (
    SELECT m.row, m.run, s.waited_ns, s.stated_attempt, s.start_unix_nano + coalesce(s.duration_ns, 0) AS ends
    FROM members m JOIN waiting USING (run) JOIN near s ON s.rowid = m.row
    WHERE m.own
),
spaced AS (
    SELECT row, waited_ns, stated_attempt,
        ends - lag(ends) OVER (PARTITION BY run ORDER BY ends, coalesce(stated_attempt, 0)) AS since
    FROM moments
)
SELECT row FROM spaced
WHERE waited_ns IS NOT NULL AND coalesce(since < 0.9 * waited_ns, stated_attempt > 1);
