"""A run that was tried again, or given up from outside: trouble on the way, though perhaps not at its end."""

from flywheel_assets.examples.labelers.labeler import Labeler

LABELER = Labeler(
    name="retries",
    version="1",
    tier="heuristic",
    one_sided=True,
    sql="""
        SELECT
            run_id,
            0.0 AS value,
            CASE WHEN status = 'cancelled' THEN 0.6 ELSE 0.55 END AS confidence,
            CASE WHEN status = 'cancelled' THEN 'abandoned' ELSE concat(attempts, ' attempts') END AS evidence
        FROM runs
        WHERE attempts > 1 OR status = 'cancelled'
    """,
)
