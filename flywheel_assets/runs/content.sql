-- What only the attributes hold, of the few spans per run that are asked for it.
CREATE OR REPLACE TEMP TABLE wanted AS
SELECT run_id, spot.trace AS trace_id, spot.span AS span_id, bool_or(what = 'input') AS input,
    bool_or(what = 'output') AS output, bool_or(what = 'chosen') AS chosen, bool_or(what = 'skill') AS skill,
    bool_or(what IN ('call', 'root')) AS tools
FROM (
    SELECT run_id, unnest([input_at, output_at, chosen_at, skill_at, call_at,
            {'trace': trace_id, 'span': root_span_id}]) AS spot,
        unnest(['input', 'output', 'chosen', 'skill', 'call', 'root']) AS what
    FROM folded
)
WHERE spot IS NOT NULL
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE content AS
SELECT
    w.run_id,
    any_value(coalesce(attr_text[input_key], attr_json[input_key])) FILTER (w.input) AS input_raw,
    any_value(coalesce(attr_text[output_key], attr_json[output_key])) FILTER (w.output) AS output_raw,
    any_value(coalesce(attr_text['flywheel.context'], attr_json['flywheel.context'])) FILTER (w.chosen) AS context_json,
    coalesce(bool_or(attr_text['flywheel.skill.name'] IS NOT NULL) FILTER (w.skill), false) AS flywheel_skill,
    arg_min(
        coalesce(
            attr_json['gen_ai.tool.definitions'], attr_text['gen_ai.tool.definitions'],
            nullif(array_to_string(list_transform(list_sort(list_filter(map_entries(attr_text),
                e -> starts_with(e.key, 'llm.tools.'))), e -> e.value), chr(10)), '')
        ), r.start_unix_nano
    ) FILTER (w.tools) AS tools
FROM wanted w
JOIN raw_spans r ON r.trace_id = w.trace_id AND r.span_id = w.span_id
GROUP BY w.run_id;
