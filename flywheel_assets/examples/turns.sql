-- Turns of sessions that have several nearby, with what was asked: only of those is anything said before or after.
CREATE OR REPLACE TEMP TABLE turns AS
SELECT run_id, session_id, skill, start_time, duration_ns, input_text FROM nearby_runs
WHERE session_id IN (SELECT session_id FROM nearby_runs WHERE session_id IS NOT NULL GROUP BY ALL HAVING count(*) > 1)
    AND input_text IS NOT NULL;
