-- Attempts that never ran: they say they waited longer than there was time since what came before. Where
-- the attempt before is not there to tell, a later one is not believed. A tenth is left to clocks.
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
        ends - lag(ends) OVER turns AS since, lag(stated_attempt) OVER turns AS attempt_before
    FROM moments
    WINDOW turns AS (PARTITION BY run ORDER BY ends, coalesce(stated_attempt, 0))
)
SELECT row FROM spaced
WHERE waited_ns IS NOT NULL
    AND (since < 0.9 * waited_ns OR (stated_attempt > 1 AND attempt_before IS DISTINCT FROM stated_attempt - 1));
