"""The last model call stopped at its length limit: the answer is cut."""

from flywheel_assets.examples.labelers.labeler import Labeler

LABELER = Labeler(
    name="truncated_output",
    version="1",
    tier="heuristic",
    one_sided=True,
    sql="""
        SELECT run_id, 0.0 AS value, 0.6 AS confidence, concat('finish reason ', finish_reason) AS evidence
        FROM runs
        WHERE lower(finish_reason) IN ('length', 'max_tokens', 'max_output_tokens', 'max-tokens', 'model_length')
    """,
)
