-- Runs that a judge labelled in a version that has since spoken its last, with what became of it.
WITH said AS (
    SELECT target_id, name, author_id, coalesce(author_version, '-') AS version, observed_at
    FROM feedback
    WHERE tier = 'judge' AND value IS NOT NULL AND target_kind IN ('run', 'span')
),

newest AS (
    SELECT author_id, name, arg_max(version, observed_at) AS version
    FROM said
    GROUP BY author_id, name
),

-- What is said of a run's root span is said of the run.
places AS (
    SELECT run_id, run_id AS place
    FROM judged_runs
    UNION
    SELECT run_id, concat(trace_id, ':', root_span_id)
    FROM judged_runs
),

-- The last word of each judge on each run is what its label rests on.
last_words AS (
    SELECT places.run_id, said.author_id, said.name, arg_max(said.version, said.observed_at) AS version
    FROM places
    JOIN said ON said.target_id = places.place
    GROUP BY ALL
)

SELECT
    run_id,
    string_agg(author_id || ' ' || last_words.version || ', now ' || newest.version, '; ' ORDER BY author_id) AS outdated
FROM last_words
JOIN newest USING (author_id, name)
WHERE last_words.version <> newest.version
GROUP BY run_id
