"""The run cost or lasted far more than runs of its skill and arm did that day.

A cascade's run is compared with those that asked as many of its models: that a gate sent it on to the dearer one is
what the arm does, and no sign of trouble.

"Far" is more than eight median absolute deviations above the median and three times the median; a
day of fewer than fifty such runs knows no "far". Dear and slow runs may well have gone right: a weak
sign, and of being cheap or quick nothing follows.
"""

from flywheel_assets.examples.labelers.labeler import Labeler
from flywheel_assets.tables.documents.cascade import PREFIX

LABELER = Labeler(
    name="outliers",
    version="2",
    tier="heuristic",
    one_sided=True,
    concerned="SELECT 1 FROM runs GROUP BY skill, arm HAVING count(*) >= 50",
    sql=f"""
        WITH asked AS (
            SELECT run_id, count(DISTINCT model) AS models FROM work
            WHERE operation = 'llm' AND run_id IN (SELECT run_id FROM runs WHERE starts_with(arm, '{PREFIX}'))
            GROUP BY run_id
        ),
        alike AS (
            SELECT r.*, coalesce(a.models, 0) AS models FROM runs r LEFT JOIN asked a USING (run_id)
            WHERE skill IS NOT NULL AND arm IS NOT NULL
        ),
        sizes AS (
            SELECT run_id, skill, arm, models, 'cost' AS what, cost_usd AS size FROM alike WHERE cost_usd IS NOT NULL
            UNION ALL
            SELECT run_id, skill, arm, models, 'duration', CAST(duration_ns AS DOUBLE) FROM alike
            WHERE duration_ns IS NOT NULL AND status IN ('ok', 'error')
        ),
        usual AS (
            SELECT skill, arm, models, what, median(size) AS middle, mad(size) AS spread FROM sizes
            GROUP BY ALL HAVING count(*) >= 50
        )
        SELECT s.run_id, 0.0 AS value, 0.52 AS confidence,
            string_agg(concat(s.what, ' ', round(s.size / u.middle, 1), ' times the median'), ', ' ORDER BY s.what)
                AS evidence
        FROM sizes s JOIN usual u USING (skill, arm, models, what)
        WHERE s.size > u.middle + 8 * u.spread AND s.size > 3 * u.middle AND u.middle > 0
        GROUP BY s.run_id
    """,
)
