-- What signs look at, of the day's failed runs.
--
-- `tried`: their spans, with what was asked, answered and reported; `kind` is what an error's message tells.
-- `last_call_under`: by parent span, the last model call under it. `used`: calls of tools, but for those that
-- only hand in an answer. `handing_in`: the model call that handed the run's answer in. `offered`: runs that
-- were offered tools to work with.
CREATE OR REPLACE TEMP TABLE tried AS
WITH failed AS (
    SELECT run_id, skill FROM examples WHERE grain = 'run' AND outcome_state = 'labeled' AND outcome < 0.5
),
ours AS (SELECT w.*, f.skill FROM work w JOIN failed f USING (run_id) WHERE w.role != 'annotation'),
-- Spans of the next day apart: they are few, and attributes of all others are not read then.
told AS NOT MATERIALIZED (
    SELECT w.*, s.status_message, s.events, s.input_key, s.output_key, s.attr_text, s.attr_json
    FROM ours w JOIN raw_spans s ON s.trace_id = w.trace_id AND s.span_id = w.span_id
    WHERE s.day = DATE '{day}' AND w.span_day = DATE '{day}'
    UNION ALL
    SELECT w.*, s.status_message, s.events, s.input_key, s.output_key, s.attr_text, s.attr_json
    FROM ours w JOIN raw_spans s ON s.day = w.span_day AND s.trace_id = w.trace_id AND s.span_id = w.span_id
    WHERE s.day != DATE '{day}' AND w.span_day != DATE '{day}'
),
spans AS (
    SELECT run_id, skill, trace_id, span_id, parent_span_id, role, operation, tool_name, error_type,
        start_unix_nano, end_unix_nano, status = 'error' OR error_type IS NOT NULL AS erred,
        coalesce(attr_text[input_key], attr_json[input_key]) AS asked,
        coalesce(attr_text[output_key], attr_json[output_key]) AS answered,
        lower(concat_ws(' ', error_type, status_message,
            [e.attributes_json FOR e IN events IF e.name = 'exception'][-1])) AS message,
        -- Named in a list, or each by a definition: most spans have no such attribute, which one look at all names tells.
        CASE WHEN regexp_matches(array_to_string(list_concat(map_keys(attr_text), map_keys(attr_json)), '.'), '{offers}')
            THEN list_concat(
                [v.value FOR v IN map_entries(attr_text) IF regexp_matches(v.key, '{offers}')],
                [v.value FOR v IN map_entries(attr_json) IF regexp_matches(v.key, '{offers}')]) END AS offers,
        concat_ws(' ', attr_text['llm.invocation_parameters'], attr_json['llm.invocation_parameters'],
            attr_json['gen_ai.request.stop_sequences']) AS parameters,
        role = 'tool' AND regexp_matches(lower(tool_name), '^{ending}$') AS ends
    FROM told
)
SELECT *, CASE
    WHEN NOT erred THEN NULL
    WHEN regexp_matches(message, 'context.?(length|window)|(prompt|input) is too long|maximum context|too many tokens')
        THEN 'Context Handling Failures'
    WHEN regexp_matches(message, 'rate.?limit|too many requests|\b429\b') THEN 'Rate Limiting'
    WHEN regexp_matches(message, 'time(d)?.?out|deadline.?exceeded') THEN 'Timeout Issues'
    WHEN regexp_matches(message, 'unauthori[sz]ed|authentication|forbidden|invalid api.?key|\b40[13]\b')
        THEN 'Authentication Errors'
    WHEN regexp_matches(message, 'out of memory|memoryerror|quota|disk full|no space left') THEN 'Resource Exhaustion'
    WHEN regexp_matches(message, 'modulenotfound|importerror|no module named|not among the authori[sz]ed imports'
        || '|permission ?(denied|error)|command not found') THEN 'Environment Setup Errors'
    WHEN regexp_matches(message, 'filenotfound|no such file|does not exist|\b404\b') THEN 'Resource Not Found'
    WHEN regexp_matches(message, 'service.?unavailable|internal.?server|bad gateway|overloaded'
        || '|connection.?(error|refused|reset)|\b50[0234]\b') THEN 'Service Errors'
END AS kind
FROM spans;

CREATE OR REPLACE TEMP TABLE last_call_under AS
SELECT run_id, trace_id, parent_span_id,
    arg_max(span_id, {'start': start_unix_nano, 'span': span_id}) AS span_id
FROM tried WHERE role = 'llm' AND parent_span_id IS NOT NULL GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE used AS
SELECT run_id, erred, end_unix_nano FROM tried WHERE role = 'tool' AND NOT coalesce(ends, false);

CREATE OR REPLACE TEMP TABLE handing_in AS
WITH ended AS (SELECT run_id, max(start_unix_nano) AS ended_at FROM tried WHERE ends GROUP BY run_id)
SELECT run_id, trace_id, span_id, start_unix_nano FROM tried LEFT JOIN ended USING (run_id)
WHERE role = 'llm' AND start_unix_nano <= coalesce(ended_at, start_unix_nano)
QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY start_unix_nano DESC, span_id DESC) = 1;

CREATE OR REPLACE TEMP TABLE offered AS
WITH named AS (
    SELECT run_id, unnest(CASE WHEN contains(offer, '"name"')
        THEN regexp_extract_all(offer, '"name"\s*:\s*"([^"]+)"', 1)
        ELSE regexp_extract_all(offer, '"([^"]+)"', 1) END) AS tool
    FROM (SELECT run_id, unnest(offers) AS offer FROM tried)
)
SELECT DISTINCT run_id FROM named WHERE NOT regexp_matches(lower(tool), '^{ending}$')
