-- What only the attributes hold, of the few spans per run that are asked for it. Looking a key up in a
-- map costs more than all else here, so each is looked up only where it may be.
SET VARIABLE few = (
    SELECT CASE WHEN count(*) <= 500 THEN coalesce(list(trace_id), []) END FROM wanted WHERE day != getvariable('day')
);

-- Read as a stream: whole conversations are in it. The neighbours' spans apart: where they are few, attributes of
-- all others are not read.
WITH read AS NOT MATERIALIZED (
    SELECT w.*, r.dialect, r.input_key, r.output_key, r.attr_text, r.attr_json
    FROM raw_spans r JOIN wanted w ON r.trace_id = w.trace_id AND r.span_id = w.span_id
    WHERE r.day = getvariable('day') AND w.day = getvariable('day')
    UNION ALL
    SELECT w.*, r.dialect, r.input_key, r.output_key, r.attr_text, r.attr_json
    FROM raw_spans r JOIN wanted w ON r.day = w.day AND r.trace_id = w.trace_id AND r.span_id = w.span_id
    WHERE r.day != getvariable('day') AND w.day != getvariable('day')
        AND (getvariable('few') IS NULL OR list_contains(getvariable('few'), r.trace_id))
)
SELECT
    run,
    CASE WHEN input THEN coalesce(attr_text[input_key], attr_json[input_key]) END AS input_text,
    CASE WHEN output THEN coalesce(attr_text[output_key], attr_json[output_key]) END AS output_text,
    CASE WHEN chosen THEN coalesce(attr_text['flywheel.context'], attr_json['flywheel.context']) END AS context_json,
    CASE WHEN skill THEN attr_text['flywheel.skill.name'] IS NOT NULL END AS flywheel_skill,
    CASE WHEN tools THEN substr(sha256(coalesce(
        attr_json['gen_ai.tool.definitions'],
        CASE
            WHEN dialect IS DISTINCT FROM 'openinference' THEN attr_text['gen_ai.tool.definitions']
            WHEN attr_text['llm.tools.0.tool.json_schema'] IS NULL THEN NULL
            ELSE array_to_string(list_transform(list_sort(list_filter(
                map_entries(attr_text), lambda e: starts_with(e.key, 'llm.tools.'))), lambda e: e.value), chr(10))
        END
    )), 1, 12) END AS tool_schema_hash
FROM read;
