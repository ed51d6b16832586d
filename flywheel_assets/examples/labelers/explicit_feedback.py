"""What people, checks and judges said, each with the trust that its kind deserves.

A statement on the run's root span (or, in a durable runtime, on the agent that does the run's last
attempt) is about the run; on another span it is about that span; on a
response, about the model call that gave it, and about the run too where that was its last. One on a
session is shared out among the session's runs up to then, so that a statement weighs as one however
long the session. The latest statement of an author under one name supersedes the earlier. An
unregistered author's is kept and weighs nothing. Scores whose high end is bad (toxicity and the like)
say nothing of success, nor does the word of a gate by which a cascade goes on: it is what is
judged. The value comes through exactly, and its confidence does not depend on it. What a person
answered about a run of the standing random sample is an anchor.
"""

from flywheel_assets.examples.labelers.labeler import Labeler
from flywheel_assets.tables.documents.anchors import ANCHOR

LABELER = Labeler(
    name="explicit_feedback",
    version="5",
    tier="human",
    concerned="SELECT 1 FROM feedback",
    sql=f"""
        WITH said AS (
            SELECT feedback_id, target_kind, target_id, name, value, tier, author_id, author_version, observed_at
            FROM feedback
            WHERE value IS NOT NULL AND NOT starts_with(name, 'flywheel.gate.') AND NOT regexp_matches(lower(name),
                '(^|[^a-z])(toxicity|toxic|hallucinations?|harmful(ness)?|malicious(ness)?|bias|jailbreaks?|injections?'
                || '|profanity|violence|hate|leaks?|risk|errors?|latency|cost)$')
        ),
        traces AS (
            SELECT trace_id, any_value(run_id) AS run_id FROM runs GROUP BY trace_id HAVING count(*) = 1
        ),
        responses AS (
            SELECT response_id, any_value(place) AS place, any_value(run_id) AS run_id,
                bool_or(stands_for_run) AS stands_for_run, bool_or(is_last_call) AS is_last_call
            FROM work WHERE response_id IN (SELECT target_id FROM said WHERE target_kind = 'response')
            GROUP BY response_id HAVING count(*) = 1
        ),
        sessions AS (
            SELECT s.feedback_id, n.run_id, n.day, count(*) OVER (PARTITION BY s.feedback_id) AS sharers
            FROM said s JOIN nearby_runs n ON n.session_id = s.target_id AND n.start_time <= s.observed_at
            WHERE s.target_kind = 'session'
        ),
        resolved AS (
            SELECT s.*, 'run' AS grain, r.run_id, r.run_id AS example_id, 1 AS sharers
            FROM said s JOIN runs r ON r.run_id = s.target_id WHERE s.target_kind IN ('run', 'span')
            UNION ALL BY NAME
            SELECT s.*, p.run_id, 1 AS sharers,
                CASE WHEN p.stands_for_run OR s.target_kind = 'run' THEN 'run' ELSE 'span' END AS grain,
                CASE WHEN p.stands_for_run OR s.target_kind = 'run' THEN p.run_id ELSE p.place END AS example_id
            FROM said s JOIN work p ON p.place = s.target_id AND p.run_id != p.place
            WHERE s.target_kind IN ('run', 'span')
            UNION ALL BY NAME
            SELECT s.*, 'run' AS grain, t.run_id, t.run_id AS example_id, 1 AS sharers
            FROM said s JOIN traces t ON t.trace_id = s.target_id WHERE s.target_kind = 'run'
            UNION ALL BY NAME
            SELECT s.*, 'span' AS grain, p.run_id, p.place AS example_id, 1 AS sharers
            FROM said s JOIN responses p ON p.response_id = s.target_id
            WHERE s.target_kind = 'response' AND NOT p.stands_for_run
            UNION ALL BY NAME
            SELECT s.*, 'run' AS grain, p.run_id, p.run_id AS example_id, 1 AS sharers
            FROM said s JOIN responses p ON p.response_id = s.target_id
            WHERE s.target_kind = 'response' AND (p.stands_for_run OR p.is_last_call)
            UNION ALL BY NAME
            SELECT s.*, 'run' AS grain, n.run_id, n.run_id AS example_id, n.sharers
            FROM said s JOIN sessions n USING (feedback_id) SEMI JOIN runs r ON r.run_id = n.run_id
        ),
        latest AS (
            SELECT * FROM resolved
            QUALIFY row_number() OVER (
                PARTITION BY example_id, author_id, name, target_kind ORDER BY observed_at DESC, feedback_id DESC
            ) = 1
        ),
        trusted AS (
            SELECT *, CASE WHEN author_id = 'unregistered' THEN 0.5 ELSE 0.5 + (
                CASE tier WHEN 'human' THEN 0.9 WHEN 'check' THEN 0.98 WHEN 'outcome' THEN 0.95
                    WHEN 'judge' THEN 0.7 ELSE 0.6 END - 0.5) / sharers END AS confidence
            FROM latest
        )
        SELECT grain, example_id, run_id, tier, author_id, author_version, value, confidence,
            author_id != 'unregistered' AS decides, observed_at,
            concat(name, ' = ', value, ' on the ', target_kind) AS evidence,
            grain = 'run' AND tier = 'human' AND name = '{ANCHOR}' AND author_id != 'unregistered'
                AND target_kind != 'session' AND run_id IN (SELECT run_id FROM sampled_runs) AS anchor
        FROM trusted
    """,
)
