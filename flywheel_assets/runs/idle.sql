-- Attempts that never ran: they say they waited longer than there was time since what came before. Where
-- the attempt before is not there to tell, a later one is not believed. A tenth is left to clocks.
WITH ended AS (SELECT *, start_unix_nano + coalesce(duration_ns, 0) AS ends FROM moments),
spaced AS (
    SELECT span, waited_ns, stated_attempt,
        ends - lag(ends) OVER turns AS since, lag(stated_attempt) OVER turns AS attempt_before
    FROM ended
    WINDOW turns AS (PARTITION BY run ORDER BY ends, coalesce(stated_attempt, 0))
)
SELECT span FROM spaced
WHERE waited_ns IS NOT NULL
    AND (since < 0.9 * waited_ns OR (stated_attempt > 1 AND attempt_before IS DISTINCT FROM stated_attempt - 1));
