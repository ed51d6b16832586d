"""The next run of the session asks for much the same: the first answer probably did not do.

"Soon" is ten minutes, "much the same" half of all words of either request. Going on to something
else is no praise, so this labeler stays silent then.
"""

from flywheel_assets.examples.labelers.labeler import Labeler

LABELER = Labeler(
    name="re_ask",
    version="1",
    tier="heuristic",
    one_sided=True,
    concerned="SELECT 1 FROM turns",
    sql=r"""
        WITH in_turn AS (
            SELECT run_id, start_time,
                lead(run_id) OVER session AS next_run, lead(start_time) OVER session AS next_start
            FROM turns
            WINDOW session AS (PARTITION BY session_id, skill ORDER BY start_time, run_id)
        ),
        soon AS (
            SELECT * FROM in_turn SEMI JOIN runs USING (run_id)
            WHERE next_start <= start_time + INTERVAL 10 MINUTE
        ),
        words AS (
            SELECT s.run_id, s.next_run,
                list_distinct(string_split_regex(lower(substr(t.input_text, 1, 2000)), '\W+')) AS here,
                list_distinct(string_split_regex(lower(substr(n.input_text, 1, 2000)), '\W+')) AS there
            FROM soon s JOIN turns t ON t.run_id = s.run_id JOIN turns n ON n.run_id = s.next_run
        ),
        shared AS (SELECT *, len(list_intersect(here, there)) AS both_say FROM words),
        alike AS (
            SELECT *, both_say / (len(here) + len(there) - both_say) AS jaccard FROM shared
        )
        SELECT run_id, 0.0 AS value, 0.6 AS confidence,
            concat('asked again in ', next_run, ', ', round(100 * jaccard), ' % the same words') AS evidence
        FROM alike WHERE jaccard >= 0.5
    """,
)
