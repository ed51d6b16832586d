-- Where runs go wrong: by skill and kind of span, the blame that it bears.
CREATE VIEW blamed_spans AS
SELECT
    c.skill, c.role, c.name,
    sum(c.blame) AS failures,
    count(*) AS spans,
    sum(c.blame) / sum(sum(c.blame)) OVER (PARTITION BY c.skill) AS share,
    arg_max(c.run_id, c.blame) AS worst_run_id,
    arg_max(concat(c.trace_id, ':', c.span_id), c.blame) AS worst_span,
    arg_max(c.reason, c.blame) AS worst_reason
FROM span_credit AS c
GROUP BY c.skill, c.role, c.name
ORDER BY failures DESC, c.skill, c.role, c.name;

COMMENT ON VIEW blamed_spans IS 'Where runs go wrong: failures by the skill, role and name of the spans that bear the blame.';
COMMENT ON COLUMN blamed_spans.skill IS 'Skill';
COMMENT ON COLUMN blamed_spans.role IS 'llm | tool | step | …; elsewhere: no recorded span';
COMMENT ON COLUMN blamed_spans.name IS 'Name of the spans';
COMMENT ON COLUMN blamed_spans.failures IS 'Expected number of failures that began there; a failed run counts once over all rows [runs]';
COMMENT ON COLUMN blamed_spans.spans IS 'Spans that bear some of it [spans]';
COMMENT ON COLUMN blamed_spans.share IS 'Share of the skill''s failures [share]';
COMMENT ON COLUMN blamed_spans.worst_run_id IS 'Run of the span that bears most';
COMMENT ON COLUMN blamed_spans.worst_span IS 'That span, as flywheel used-by takes it';
COMMENT ON COLUMN blamed_spans.worst_reason IS 'Why';
