-- What the code that decides does with arms whose truth is known: false promotions, power, misses, time to detect.
CREATE VIEW drill_results AS
SELECT
    skill,
    drill,
    truth,
    trials,
    promoted,
    observed,
    lower,
    upper,
    nominal,
    nominal IS NOT NULL AND lower > nominal AS exceeds,
    units,
    units_to_promotion,
    reason
FROM drills
ORDER BY skill, drill;

COMMENT ON VIEW drill_results IS 'Trials on copies of own traffic: identical arms, permuted labels, planted better, worse and poisoned arms.';
COMMENT ON COLUMN drill_results.skill IS 'Skill';
COMMENT ON COLUMN drill_results.drill IS 'identical | permuted | better_5 | better_10 | worse_10 | poisoned';
COMMENT ON COLUMN drill_results.truth IS 'not_better | better | falsified';
COMMENT ON COLUMN drill_results.trials IS 'Trials; 0: not measured [trials]';
COMMENT ON COLUMN drill_results.promoted IS 'Trials that ended in a promotion [trials]';
COMMENT ON COLUMN drill_results.observed IS 'promoted / trials: error rate, power or miss rate, by truth [share]';
COMMENT ON COLUMN drill_results.lower IS 'Lower end of its 95 % interval [share]';
COMMENT ON COLUMN drill_results.upper IS 'Upper end [share]';
COMMENT ON COLUMN drill_results.nominal IS 'Promised share; NULL: none is [share]';
COMMENT ON COLUMN drill_results.exceeds IS 'Whether the whole interval lies above what was promised';
COMMENT ON COLUMN drill_results.units IS 'Units in each trial [units]';
COMMENT ON COLUMN drill_results.units_to_promotion IS 'Median units until promotion: time to detect [units]';
COMMENT ON COLUMN drill_results.reason IS 'What it shows, or why it was not measured';
