"""What tests, builds, linters and pipelines said of the run's work, inside its trace or linked to it.

OpenTelemetry's own words: `test.case.result.status`, `test.suite.run.status`, `cicd.pipeline.result`,
`cicd.pipeline.task.run.result`, `vcs.change.state`, on a span or on an event of it. Of each check its
last result counts, since working until the tests pass is how the work is done; all must pass. One that
was skipped, was cancelled, ran out of time or broke by itself has said nothing. That a commit was
reverted can only speak against, so it decides nothing.

Attributes are read only of spans whose name is that of a check, and of spans of no run that link to
one: reading them all costs more than all other labelers together.
"""

from flywheel_assets.examples.labelers.labeler import Labeler

CHECK = r"""
    regexp_matches(lower(name), '^(run|sync) |(^|[^a-z])(tests?|suite|pytest|build|compile|lint|linter|typecheck'
        || '|pipeline|ci|check|verify|merge|pull.request|commit|reverted|revert)([^a-z]|$)')
"""
LABELER = Labeler(
    name="downstream_check",
    version="1",
    tier="check",
    concerned=f"""
        -- By name: words are looked for in each of a few dozen, not in each span's.
        SELECT 1 FROM (SELECT any_value(name) AS name FROM work GROUP BY name) WHERE {CHECK}
        UNION ALL SELECT 1 FROM raw_spans WHERE len(links) > 0
    """,
    sql=rf"""
        WITH places AS (
            SELECT run_id, trace_id, span_id FROM work
            WHERE role NOT IN ('llm', 'annotation', 'attempt') AND {CHECK}
            UNION
            SELECT w.run_id, s.trace_id, s.span_id
            FROM (SELECT trace_id, span_id, unnest(links) AS link FROM raw_spans WHERE len(links) > 0) s
            JOIN work w ON w.trace_id = s.link.trace_id AND w.span_id = s.link.span_id
            -- A run that links to an earlier one is checked for what it did itself.
            ANTI JOIN run_spans m ON m.trace_id = s.trace_id AND m.span_id = s.span_id AND m.run_id IS NOT NULL
        ),
        told AS (
            SELECT p.run_id, s.name, s.events, s.start_unix_nano + coalesce(s.duration_ns, 0) AS told_at,
                s.attr_text AS words
            FROM places p JOIN raw_spans s USING (trace_id, span_id)
        ),
        each_told AS (
            SELECT run_id, name, told_at, words FROM told
            UNION ALL
            SELECT run_id, event.name, event.time_unix_nano,
                CAST(CAST(event.attributes_json AS JSON) AS MAP(TEXT, TEXT))
            FROM (SELECT run_id, unnest(events) AS event FROM told)
            WHERE json_valid(event.attributes_json)
        ),
        results AS (
            SELECT run_id, told_at,
                coalesce(words['test.case.name'], words['test.suite.name'], words['cicd.pipeline.task.name'],
                    words['cicd.pipeline.name'], words['vcs.change.id'], name) AS subject,
                CASE
                    WHEN lower(coalesce(words['test.case.result.status'], words['test.suite.run.status'],
                        words['cicd.pipeline.task.run.result'], words['cicd.pipeline.result'],
                        words['vcs.change.state'])) IN ('pass', 'success', 'merged') THEN 1.0
                    WHEN lower(coalesce(words['test.case.result.status'], words['test.suite.run.status'],
                        words['cicd.pipeline.task.run.result'], words['cicd.pipeline.result'],
                        words['vcs.change.state'])) IN ('fail', 'failure', 'closed') THEN 0.0
                END AS value
            FROM each_told
        ),
        last_results AS (
            SELECT * FROM results WHERE value IS NOT NULL
            QUALIFY row_number() OVER (PARTITION BY run_id, subject ORDER BY told_at DESC, value) = 1
        )
        SELECT run_id, min(value) AS value, 0.9 AS confidence, true AS decides,
            concat(count(*) FILTER (value = 1), ' of ', count(*), ' checks passed',
                '; not ' || min(subject) FILTER (value = 0)) AS evidence
        FROM last_results GROUP BY run_id
        UNION ALL BY NAME
        SELECT DISTINCT run_id, 0.0 AS value, 0.8 AS confidence, false AS decides, 'its commit was reverted' AS evidence
        FROM each_told WHERE regexp_matches(lower(name), '(commit|change|vcs|git)[^a-z](was )?revert(ed)?$')
    """,
)
