-- Blame by span; what is too little for a row of its own goes to '-', so that a run's rows add up.
WITH shared AS (
    SELECT run_id, skill, trace_id, span_id, role, name, place, failed, share * failed AS blame,
        concat_ws('; ',
            CASE WHEN began_here THEN 'an error began here' END,
            CASE WHEN recovered THEN 'the same tool worked later' END,
            CASE WHEN outcome < 0.5 THEN concat('labelled bad, ', round(confidence, 2), ' sure')
                WHEN outcome > 0.5 THEN concat('labelled good, ', round(confidence, 2), ' sure') END,
            CASE WHEN NOT began_here AND outcome IS NULL THEN concat('number ', place, ' of its run') END) AS reason
    FROM credited
),
runs_of AS (SELECT DISTINCT run_id, skill, failed FROM credited),
small AS (SELECT run_id, sum(blame) AS blame, count(*) AS spans FROM shared WHERE blame < $least GROUP BY run_id)
SELECT CAST($day AS DATE) AS day, run_id, skill, trace_id, span_id, role, name, place, blame, failed, reason
FROM shared WHERE blame >= $least
UNION ALL
SELECT CAST($day AS DATE), run_id, skill, '-', '-', 'elsewhere', '-', 0,
    n.share * r.failed + coalesce(s.blame, 0), r.failed,
    concat_ws('; ', 'in no recorded span', 'and ' || CAST(s.spans AS TEXT) || ' with too little for a row')
FROM nowhere n JOIN runs_of r USING (run_id) LEFT JOIN small s USING (run_id)
ORDER BY run_id, place
