-- What only the attributes hold, of the few spans per run that are asked for it. Looking a key up in a
-- map costs more than all else here, so each is looked up only where it may be.
CREATE OR REPLACE TEMP TABLE wanted AS
WITH spots AS (
    SELECT run, unnest([input_at, output_at, chosen_at, skill_at, coalesce(call_at, run)]) AS row,
        unnest(['input', 'output', 'chosen', 'skill', 'tools']) AS what
    FROM folded
)
SELECT w.run, s.trace_id, s.span_id, s.dialect, bool_or(what = 'input') AS input, bool_or(what = 'output') AS output,
    bool_or(what = 'chosen') AS chosen, bool_or(what = 'skill') AS skill, bool_or(what = 'tools') AS tools
FROM spots w JOIN near s ON s.rowid = w.row
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE found AS
SELECT
    w.run,
    CASE WHEN w.input THEN coalesce(attr_text[input_key], attr_json[input_key]) END AS input_raw,
    CASE WHEN w.output THEN coalesce(attr_text[output_key], attr_json[output_key]) END AS output_raw,
    CASE WHEN w.chosen THEN coalesce(attr_text['flywheel.context'], attr_json['flywheel.context']) END AS context_json,
    CASE WHEN w.skill THEN attr_text['flywheel.skill.name'] IS NOT NULL END AS flywheel_skill,
    CASE WHEN w.tools THEN coalesce(
        attr_json['gen_ai.tool.definitions'],
        CASE
            WHEN w.dialect IS DISTINCT FROM 'openinference' THEN attr_text['gen_ai.tool.definitions']
            WHEN attr_text['llm.tools.0.tool.json_schema'] IS NULL THEN NULL
            ELSE array_to_string(list_transform(list_sort(list_filter(
                map_entries(attr_text), e -> starts_with(e.key, 'llm.tools.'))), e -> e.value), chr(10))
        END
    ) END AS tools
FROM raw_spans r JOIN wanted w ON r.trace_id = w.trace_id AND r.span_id = w.span_id;

CREATE OR REPLACE TEMP TABLE content AS
SELECT
    run,
    any_value(input_raw) AS input_raw,
    any_value(output_raw) AS output_raw,
    any_value(context_json) AS context_json,
    coalesce(bool_or(flywheel_skill), false) AS flywheel_skill,
    any_value(tools) AS tools
FROM found GROUP BY run;
