"""The next turn of the session corrects this one: what was answered was not what was wanted.

It comes within ten minutes of the answer, and says so at the start of a clause near its beginning:
the same words in a quotation or in the middle of a task are no correction. English only.
"""

from flywheel_assets.examples.labelers.labeler import Labeler

LABELER = Labeler(
    name="user_correction",
    version="1",
    tier="heuristic",
    one_sided=True,
    concerned="SELECT 1 FROM turns",
    sql=r"""
        WITH in_turn AS (
            SELECT run_id, start_time + to_microseconds(coalesce(duration_ns, 0) // 1000) AS ended,
                lead(run_id) OVER session AS next_run, lead(start_time) OVER session AS next_start
            FROM turns
            WINDOW session AS (PARTITION BY session_id ORDER BY start_time, run_id)
        ),
        soon AS (
            SELECT * FROM in_turn SEMI JOIN runs USING (run_id)
            WHERE next_start BETWEEN ended AND ended + INTERVAL 10 MINUTE
        ),
        -- Few turns come so soon: only what these say is looked through.
        said AS MATERIALIZED (
            SELECT s.run_id, s.next_run, replace(lower(substr(ltrim(n.input_text), 1, 200)), '’', '''') AS words
            FROM soon s JOIN turns n ON n.run_id = s.next_run
        )
        SELECT run_id, 0.0 AS value, 0.6 AS confidence, concat('corrected in ', next_run) AS evidence
        FROM said
        WHERE regexp_matches(words,
            '^(no+|nope|wrong|incorrect)\s*([.!,:;–—-]\s*(that|this|it|you|i|the|not|wrong)\b|[.!]*$)'
            || '|^((no|sorry|hm+|actually|but|well)[\s.!,;…–—-]+)*('
            || '(that|this|it)(''s| is| was| looks) (just |still )?(wrong|incorrect|false)'
            || '|(that|this|it)(''s| is| was| looks) (just |still )?not (right|correct|true|it\b)'
            || '|((that|this|it)(''s| is| was) )?not what i (asked|meant|wanted|said|need)'
            || '|(that|this|it) (isn''t|wasn''t) (right|correct|true|what i)'
            || '|you (have |''ve )?(misunderstood|misread|got (it|that|this) wrong|didn''t (answer|read|listen))'
            || '|you(''re| are| were) (wrong|mistaken)'
            || '|(that|this|it) (still )?(doesn''t|does not|didn''t|did not) work'
            || '|i (actually |really )?meant\b|i (asked|said|wanted)\b.{1,60}\bnot\b)')
    """,
)
