SELECT
    (SELECT count(*) FROM labeled_examples WHERE grain = 'run') AS runs,
    (SELECT count(*) FROM gated_observations WHERE grain = 'run') AS admitted,
    (SELECT count(DISTINCT skill) FROM labeled_examples WHERE skill IS NOT NULL) AS skills,
    (SELECT min(day) FROM labeled_examples) AS first_day,
    (SELECT max(day) FROM labeled_examples) AS last_day,
    (SELECT sum(cost_usd) FROM labeled_examples WHERE grain = 'run') AS cost_usd,
    (SELECT count(DISTINCT experiment_id) FROM promotion_decisions) AS trials,
    (SELECT count(*) FROM promotion_decisions WHERE kind = 'promoted') AS promoted,
    (SELECT count(*) FROM promotion_decisions WHERE kind = 'rolled_back') AS rolled_back,
    (SELECT arg_max(alpha_left, seq) FROM promotion_decisions) AS alpha_left,
    (SELECT count(*) FROM raw_spans WHERE resource_json LIKE '%flywheel.simulation%') AS simulated_spans
