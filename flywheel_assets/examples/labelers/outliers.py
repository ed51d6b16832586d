"""The run cost or lasted far more than its skill and arm did that day.

"Far" is more than eight median absolute deviations above the median and three times the median; a
day of fewer than fifty such runs knows no "far". Dear and slow runs may well have gone right: a weak
sign, and of being cheap or quick nothing follows.
"""

from flywheel_assets.examples.labelers.labeler import Labeler

LABELER = Labeler(
    name="outliers",
    version="1",
    tier="heuristic",
    one_sided=True,
    sql="""
        WITH sizes AS (
            SELECT run_id, skill, arm, 'cost' AS what, cost_usd AS size FROM runs WHERE cost_usd IS NOT NULL
            UNION ALL
            SELECT run_id, skill, arm, 'duration', CAST(duration_ns AS DOUBLE) FROM runs
            WHERE duration_ns IS NOT NULL AND status IN ('ok', 'error')
        ),
        usual AS (
            SELECT skill, arm, what, median(size) AS middle, mad(size) AS spread FROM sizes
            WHERE skill IS NOT NULL AND arm IS NOT NULL
            GROUP BY ALL HAVING count(*) >= 50
        )
        SELECT s.run_id, 0.0 AS value, 0.52 AS confidence,
            string_agg(concat(s.what, ' ', round(s.size / u.middle, 1), ' times the median'), ', ' ORDER BY s.what)
                AS evidence
        FROM sizes s JOIN usual u USING (skill, arm, what)
        WHERE s.size > u.middle + 8 * u.spread AND s.size > 3 * u.middle AND u.middle > 0
        GROUP BY s.run_id
    """,
)
