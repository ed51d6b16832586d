"""A guardrail stopped something, or an answer did not fit its schema.

A guardrail that was content says nothing of success. Its span tells by an error, by a decision
attribute, by a flag, or by its output, as one word or as JSON with a flag. A schema that was not met
counts on all but tool calls: a tool that rejects its arguments is how agents learn to call it.
"""

from flywheel_assets.examples.labelers.labeler import Labeler

GUARD = "(operation = 'guardrail' OR starts_with(name, 'apply_guardrail'))"
UNFIT = r"""(
    role != 'tool' AND operation IS DISTINCT FROM 'guardrail' AND regexp_matches(lower(error_type),
        '(^|[.:])(schema)?(validation|json_?decode|output_?pars(er|ing)|json_?validate|schema)_?'
        || '(error|exception|failed|failure)$')
)"""
LABELER = Labeler(
    name="guardrail",
    version="1",
    tier="heuristic",
    one_sided=True,
    concerned=f"SELECT 1 FROM work WHERE {GUARD} OR {UNFIT}",
    sql=rf"""
        WITH guards AS (
            SELECT run_id, trace_id, span_id, status = 'error' OR error_type IS NOT NULL AS failed FROM work
            WHERE {GUARD}
        ),
        told AS (
            SELECT g.run_id, s.name, g.failed, s.attr_bool AS flags,
                lower(coalesce(s.attr_text['gen_ai.security.decision.type'],
                    s.attr_text['microsoft.security.decision.type'], s.attr_text['guardrail.action'],
                    s.attr_text['guardrail.decision'], '')) AS decision,
                lower(trim(coalesce(s.attr_text[s.output_key], s.attr_json[s.output_key], ''))) AS said
            FROM guards g JOIN raw_spans s USING (trace_id, span_id)
        ),
        tripped AS (
            SELECT run_id, name, 0.6 AS confidence, 'guardrail ' AS what FROM told
            WHERE failed
                OR decision IN ('deny', 'denied', 'block', 'blocked', 'reject', 'rejected')
                OR said IN ('deny', 'denied', 'block', 'blocked', 'flagged', 'reject', 'rejected', 'unsafe', 'fail')
                OR regexp_matches(said, '"(tripwire_)?(triggered|blocked|flagged)"\s*:\s*true')
                OR flags['guardrail.triggered'] OR flags['gen_ai.guardrail.triggered'] OR flags['tripwire_triggered']
            UNION ALL
            SELECT run_id, name, 0.55 AS confidence, concat(error_type, ' in ') AS what FROM work
            WHERE {UNFIT}
        )
        SELECT run_id, 0.0 AS value, max(confidence) AS confidence,
            arg_max(concat(what, name), {{'confidence': confidence, 'name': name}}) AS evidence
        FROM tripped GROUP BY run_id
    """,
)
