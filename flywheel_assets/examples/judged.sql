-- Judges' opinions of the day's runs, beside what people answered about runs of the standing random sample.
--
-- What is said of a run's root span is said of the run. An author's latest word counts; several people's
-- answers are averaged. Sums are over sessions first: runs of one session are not independent.
WITH runs AS (
    SELECT run_id, skill, arm, coalesce(session_id, run_id) AS session, concat(trace_id, ':', root_span_id) AS root
    FROM agent_runs WHERE day = $day AND skill IS NOT NULL AND arm IS NOT NULL AND status != 'open'
),
places AS (
    SELECT *, run_id AS place FROM runs UNION ALL SELECT *, root AS place FROM runs WHERE root != run_id
),
said AS (
    SELECT p.run_id, p.skill, p.arm, p.session, f.tier, f.name, f.author_id, f.observed_at,
        coalesce(f.author_version, '-') AS author_version, f.value
    FROM feedback f JOIN places p ON p.place = f.target_id
    WHERE f.target_kind IN ('run', 'span') AND f.author_id != 'unregistered'
        AND (f.tier = 'judge' OR (f.tier = 'human' AND f.name = $anchor AND {drawn}))
    QUALIFY row_number() OVER (PARTITION BY p.run_id, f.tier, f.name, f.author_id, f.author_version
        ORDER BY f.observed_at DESC, f.feedback_id DESC) = 1
),
answered AS (
    -- Who could not tell has not answered.
    SELECT run_id, avg(value) AS y, list(author_id ORDER BY author_id) AS people
    FROM said WHERE tier = 'human' AND value IS NOT NULL GROUP BY run_id
),
judged AS (
    SELECT s.*, s.value AS f, a.y, a.y IS NOT NULL AS anchored, coalesce(a.people, []) AS people
    FROM said s LEFT JOIN answered a USING (run_id)
    WHERE s.tier = 'judge' AND s.value IS NOT NULL
),
clusters AS (
    SELECT skill, arm, author_id, author_version, name, session, anchored, max(observed_at) AS last_said,
        list_sort(list_distinct(flatten(list(people)))) AS people,
        count(*) AS n, sum(f) AS f, coalesce(sum(y), 0) AS y,
        count(*) FILTER (f >= 0.5 AND y >= 0.5) AS both_positive,
        count(*) FILTER (f >= 0.5 AND y < 0.5) AS judge_positive,
        count(*) FILTER (f < 0.5 AND y >= 0.5) AS person_positive,
        count(*) FILTER (f < 0.5 AND y < 0.5) AS both_negative,
        count(*) FILTER (f >= 0.5 AND y IS NULL) AS free_positive
    FROM judged GROUP BY ALL
)
SELECT CAST($day AS DATE) AS day, skill, arm, author_id, author_version, name, max(last_said) AS last_said,
    list_sort(list_distinct(flatten(list(people)))) AS people,
    {sums},
    sum(free_positive) AS free_positive, sum(both_positive) AS both_positive, sum(judge_positive) AS judge_positive,
    sum(person_positive) AS person_positive, sum(both_negative) AS both_negative
FROM clusters GROUP BY ALL ORDER BY ALL
