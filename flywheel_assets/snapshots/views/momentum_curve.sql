-- Does the wheel compound? Production against the launch baseline and against the first promotion, frozen.
CREATE VIEW momentum_curve AS
SELECT
    skill, block, from_time, to_time,
    (sum(runs) OVER so_far)::BIGINT AS runs_so_far,
    current, baseline, frozen,
    current - baseline AS block_lift,
    current - frozen AS over_first_promotion,
    lift, lower, upper, standing,
    artifact_lift, artifact_lower, artifact_upper, artifact_over_frozen, compounding, says
FROM momentum
WINDOW so_far AS (PARTITION BY skill ORDER BY block)
ORDER BY skill, block;

COMMENT ON VIEW momentum_curve IS 'Momentum by block of runs: concurrent differences only, never before against after.';
COMMENT ON COLUMN momentum_curve.skill IS 'Skill, or ''*'' for all';
COMMENT ON COLUMN momentum_curve.block IS 'Block of admitted runs, from 1';
COMMENT ON COLUMN momentum_curve.from_time IS 'Start of its first run';
COMMENT ON COLUMN momentum_curve.to_time IS 'Start of its last run';
COMMENT ON COLUMN momentum_curve.runs_so_far IS 'Runs up to and with this block [runs]';
COMMENT ON COLUMN momentum_curve.current IS 'Mean outcome in production [outcome]';
COMMENT ON COLUMN momentum_curve.baseline IS 'Mean outcome in the holdout on the launch baseline [outcome]';
COMMENT ON COLUMN momentum_curve.frozen IS 'Mean outcome on the first promoted artifact, frozen [outcome]';
COMMENT ON COLUMN momentum_curve.block_lift IS 'current minus baseline within the block; noisy [outcome]';
COMMENT ON COLUMN momentum_curve.over_first_promotion IS 'current minus frozen within the block: what came after the first promotion [outcome]';
COMMENT ON COLUMN momentum_curve.lift IS 'current minus baseline over all runs so far [outcome]';
COMMENT ON COLUMN momentum_curve.lower IS 'Lower end of its 95 % interval [outcome]';
COMMENT ON COLUMN momentum_curve.upper IS 'Upper end of its 95 % interval [outcome]';
COMMENT ON COLUMN momentum_curve.standing IS 'better | worse | undecided | not_measured';
COMMENT ON COLUMN momentum_curve.artifact_lift IS 'What is in production now, since it was put there, minus baseline [outcome]';
COMMENT ON COLUMN momentum_curve.artifact_lower IS 'Lower end of its 95 % interval [outcome]';
COMMENT ON COLUMN momentum_curve.artifact_upper IS 'Upper end of its 95 % interval [outcome]';
COMMENT ON COLUMN momentum_curve.artifact_over_frozen IS 'The same minus the first promoted artifact, frozen [outcome]';
COMMENT ON COLUMN momentum_curve.compounding IS 'compounding | worse | undecided | not_measured: against the first promotion';
COMMENT ON COLUMN momentum_curve.says IS 'What follows, in words';
