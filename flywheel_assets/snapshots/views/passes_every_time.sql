-- Where the same thing was asked several times: how often does an arm succeed every time?
CREATE VIEW passes_every_time AS
WITH tasks AS (
    SELECT skill, arm, md5(input_text) AS task, count(*) AS trials, count(*) FILTER (WHERE outcome >= 0.5) AS passed
    FROM labeled_examples
    WHERE grain = 'run' AND outcome IS NOT NULL AND input_text IS NOT NULL AND skill IS NOT NULL AND arm IS NOT NULL
    GROUP BY ALL
),

-- C(passed, k) / C(trials, k): the chance that k of the task's trials, drawn without replacement, all passed.
chances AS (
    SELECT
        skill, arm, task, trials, unnest(range(1, trials + 1)) AS k,
        list_transform(range(1, trials + 1), lambda k: list_aggregate(
            list_transform(range(k), lambda i: greatest(passed - i, 0) / (trials - i)), 'product'
        )) AS all_passed
    FROM tasks
)

SELECT skill, arm, k::BIGINT AS k, count(*) AS tasks, sum(trials)::BIGINT AS trials, avg(all_passed[k]) AS pass_k
FROM chances
WHERE (skill, arm) IN (SELECT (skill, arm) FROM tasks WHERE trials > 1)
GROUP BY skill, arm, k
ORDER BY skill, arm, k;

COMMENT ON VIEW passes_every_time IS 'pass^k where the same input was run several times on one arm: how far success can be relied on. Tasks with fewer than k trials say nothing of k. Yao et al., tau-bench, 2024.';
COMMENT ON COLUMN passes_every_time.skill IS 'Skill';
COMMENT ON COLUMN passes_every_time.arm IS '''model|prompt version|tool schema''';
COMMENT ON COLUMN passes_every_time.k IS 'Trials that all must pass [trials]';
COMMENT ON COLUMN passes_every_time.tasks IS 'Different inputs with at least k trials [tasks]';
COMMENT ON COLUMN passes_every_time.trials IS 'Trials of these [trials]';
COMMENT ON COLUMN passes_every_time.pass_k IS 'Mean chance that k trials of a task all pass [share]';
