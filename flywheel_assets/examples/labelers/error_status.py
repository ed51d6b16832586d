"""How the run itself says it ended: a weak sign, for most wrong answers come without an error.

It decides where the emitter can say both: a durable runtime states success and failure alike, and a
service that sets OK on some roots would have set it on this one. A service whose spans say only
"error" and never "ok" (the usual case: instrumentations leave a good span unset) is one-sided.
"""

from flywheel_assets.examples.labelers.labeler import Labeler

LABELER = Labeler(
    name="error_status",
    version="1",
    tier="heuristic",
    sql="""
        WITH roots AS (
            SELECT w.run_id, w.status, bool_or(w.status = 'ok') OVER (PARTITION BY w.service_name) AS says_ok
            FROM work w WHERE w.role = 'root'
        ),
        ends AS (
            -- The app's own spans of an Inngest run do not tell how it ended; its server's do.
            SELECT run_id FROM work
            WHERE starts_with(name, 'invocation-end')
                OR name IN ('executor.run', 'flywheel.inngest.status', 'flywheel.restate.status')
                OR (name = 'EXTEND' AND parent_span_id IS NULL)
            GROUP BY run_id
        )
        SELECT
            r.run_id,
            CASE r.status WHEN 'ok' THEN 1.0 ELSE 0.0 END AS value,
            0.6 AS confidence,
            concat('ended ', r.status, ': ', r.error_type) AS evidence,
            e.run_id IS NOT NULL OR (r.runtime NOT IN ('restate', 'inngest') AND o.says_ok) AS decides
        FROM runs r
        LEFT JOIN ends e USING (run_id)
        LEFT JOIN roots o USING (run_id)
        WHERE r.status = 'error' OR (r.status = 'ok' AND (e.run_id IS NOT NULL
            OR (r.runtime NOT IN ('restate', 'inngest') AND o.status = 'ok')))
    """,
)
