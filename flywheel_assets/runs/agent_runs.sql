-- What follows from the sums over a run and from what its attributes hold, unordered. Columns that stay as they are
-- come beside it.
WITH stated AS (
    SELECT * EXCLUDE (root_status) REPLACE (coalesce(runtime, getvariable('bare')) AS runtime),
        CASE
            WHEN root_status = 'error' OR (root_status = 'unset' AND root_error_type IS NOT NULL) THEN 'error'
            WHEN root_duration_ns IS NULL AND NOT durable THEN 'open'
            ELSE 'ok'
        END AS root_status
    FROM folded
),
named AS (
    SELECT s.*,
        -- 'Service/key/handler' names one object; the function is 'Service/handler'.
        CASE WHEN runtime = 'restate' AND len(string_split(target, '/')) = 3
            THEN concat(split_part(target, '/', 1), '/', split_part(target, '/', 3)) ELSE target END AS function,
        -- Nothing was heard of it for too long while others were: what runs after that was lost with it.
        CASE WHEN coalesce(stated, {silent}) != 'open' THEN coalesce(stated, {silent})
            WHEN last_sign_ns + getvariable('abandoned_after_ns') < (SELECT max(start_unix_nano) FROM raw_spans) THEN 'abandoned'
            ELSE 'open' END AS run_status
    FROM stated s
),
names AS (
    SELECT run, unnest([agent_name, workflow_name, function, root_name, service_name]) AS name, unnest(range(5)) AS place
    FROM named
),
mapped_names AS (
    SELECT name, arg_max(skill, {'exact': pattern = name, 'length': length(pattern), 'pattern': pattern}) AS skill
    FROM (SELECT DISTINCT name FROM names) JOIN skill_names ON name GLOB pattern GROUP BY name
),
mapped AS (
    SELECT run, arg_min(skill, place) AS mapped_skill FROM names JOIN mapped_names USING (name) GROUP BY run
),
armed AS (
    SELECT named.*, mapped_skill,
        -- An id is no name: what it stands for is unknown until somebody says.
        CASE WHEN NOT regexp_full_match(function, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}')
            THEN function END AS function_name,
        coalesce(nullif(nullif(split_part(arm, '|', 1), ''), '-'), work_model, any_model) AS model,
        -- A cost that covers only some of the calls is one only where the spans give it as theirs.
        CASE
            WHEN stated_calls > 0 AND priced_calls > 0 AND unpriced_calls = 0 THEN 'mixed'
            WHEN stated_usd IS NOT NULL THEN 'stated'
            WHEN priced_calls > 0 AND unpriced_calls = 0 THEN 'computed'
        END AS cost_source,
        CASE WHEN arm IS NULL THEN prompt_version
            ELSE nullif(nullif(split_part(arm, '|', 2), ''), '-') END AS arm_prompt
    FROM named
    LEFT JOIN mapped USING (run)
)
SELECT
    run, runtime,
    coalesce(user_id, service_name) AS principal_id,
    coalesce(skill_name, mapped_skill, agent_name, workflow_name, function_name,
        CASE WHEN runtime = 'openinference' THEN root_name END) AS skill,
    coalesce(arm, model || '|' || coalesce(arm_prompt, '-') || '|' || coalesce(tool_schema_hash, '-'))
        AS arm,
    model,
    arm_prompt AS prompt_version,
    CASE WHEN cost_source = 'stated' THEN stated_usd WHEN cost_source IS NOT NULL THEN computed_usd END AS cost_usd,
    CASE WHEN run_status NOT IN ('open', 'abandoned') THEN CASE WHEN durable THEN whole_duration_ns ELSE root_duration_ns END END
        AS duration_ns,
    run_status AS status,
    CASE WHEN run_status IN ('error', 'cancelled') THEN coalesce(stated_error, last_error) END AS error_type,
    CASE
        WHEN skill_name IS NOT NULL THEN CASE WHEN flywheel_skill THEN 'flywheel' ELSE 'convention' END
        WHEN mapped_skill IS NOT NULL THEN 'mapping'
        WHEN agent_name IS NOT NULL THEN 'agent'
        WHEN coalesce(workflow_name, function_name) IS NOT NULL OR runtime = 'openinference' THEN 'function'
        ELSE 'none'
    END AS skill_source,
    cost_source,
    nullif(list_filter(failed_models, lambda failed: failed IS DISTINCT FROM model), []) AS fallback_from
FROM armed;
