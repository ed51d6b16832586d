-- What argued for and against each verdict: the ledger's entries with the runs behind them.
CREATE VIEW why_promoted AS
SELECT
    d.seq, d.entry_id, d.decided_at, d.skill, d.kind, d.candidate_arm, d.incumbent_arm, d.reason,
    d.estimate, d.lower, d.upper, d.e_value,
    a.run_id, a.trace_id, a.root_span_id, a.side, a.outcome, a.weight,
    row_number() OVER (PARTITION BY d.entry_id ORDER BY abs(a.weight) DESC, a.run_id) AS place,
    o.start_time AS run_time, o.tier, o.input_text, o.output_text
FROM promotion_decisions AS d
JOIN decision_arguments AS a USING (entry_id)
LEFT JOIN gated_observations AS o ON o.example_id = a.run_id AND o.grain = 'run'
ORDER BY d.seq, place;

COMMENT ON VIEW why_promoted IS 'From a verdict to the runs that argued for or against it, strongest first; trace_id and root_span_id lead on to raw_spans.';
COMMENT ON COLUMN why_promoted.seq IS 'Position of the verdict in the ledger';
COMMENT ON COLUMN why_promoted.entry_id IS 'Ledger entry';
COMMENT ON COLUMN why_promoted.decided_at IS 'When it was decided';
COMMENT ON COLUMN why_promoted.skill IS 'Skill';
COMMENT ON COLUMN why_promoted.kind IS 'registered | held | promoted | rolled_back | abandoned';
COMMENT ON COLUMN why_promoted.candidate_arm IS 'Arm on trial';
COMMENT ON COLUMN why_promoted.incumbent_arm IS 'Arm it was compared with';
COMMENT ON COLUMN why_promoted.reason IS 'The verdict in words';
COMMENT ON COLUMN why_promoted.estimate IS 'Mean outcome difference, candidate minus incumbent [outcome]';
COMMENT ON COLUMN why_promoted.lower IS 'Lower end of the confidence sequence [outcome]';
COMMENT ON COLUMN why_promoted.upper IS 'Upper end of the confidence sequence [outcome]';
COMMENT ON COLUMN why_promoted.e_value IS 'e-value against ''the candidate is not better''';
COMMENT ON COLUMN why_promoted.run_id IS 'A run that argued';
COMMENT ON COLUMN why_promoted.trace_id IS 'Its trace';
COMMENT ON COLUMN why_promoted.root_span_id IS 'Its root span';
COMMENT ON COLUMN why_promoted.side IS 'candidate | incumbent';
COMMENT ON COLUMN why_promoted.outcome IS 'Its outcome [outcome]';
COMMENT ON COLUMN why_promoted.weight IS 'Log-growth that it caused: positive argues for, negative against [nats]';
COMMENT ON COLUMN why_promoted.place IS 'Place among the verdict''s runs by strength, from 1';
COMMENT ON COLUMN why_promoted.run_time IS 'When the run started';
COMMENT ON COLUMN why_promoted.tier IS 'Tier of its label';
COMMENT ON COLUMN why_promoted.input_text IS 'What the run was asked, redacted; NULL: not captured';
COMMENT ON COLUMN why_promoted.output_text IS 'What it answered, redacted; NULL: not captured';
