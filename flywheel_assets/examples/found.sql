-- What signs look at in the content of the spans `tried`, those of the day's failed runs that started on {day}; where
-- they are of `few` traces, columns of all others are not read.
--
-- `kind` is what an error's message tells. `offers`: whether it lists tools to work with, other than those that
-- only hand in an answer; looked for in runs that are `idle`.
WITH told AS (
    SELECT t.*, s.status_message, s.events, s.attr_text, s.attr_json, s.input_key, s.output_key
    FROM tried t JOIN raw_spans s ON s.trace_id = t.trace_id AND s.span_id = t.span_id
    WHERE s.day = DATE '{day}' AND ($few IS NULL OR list_contains($few, s.trace_id))
),
content AS (
    SELECT place, role, again, erred, attr_text, attr_json,
        CASE WHEN role = 'llm' OR again THEN coalesce(attr_text[input_key], attr_json[input_key]) END AS asked,
        CASE WHEN role = 'llm' OR again THEN coalesce(attr_text[output_key], attr_json[output_key]) END AS answered,
        CASE WHEN erred THEN lower(concat_ws(' ', error_type, status_message,
            [e.attributes_json FOR e IN events IF e.name = 'exception'][-1])) END AS message,
        -- Named in a list, or each by a definition. Only names are looked through, and first for a word: values are long.
        CASE WHEN idle THEN list_concat(
            [attr_text[name] FOR name IN map_keys(attr_text)
                IF CASE WHEN contains(name, 'tool') THEN regexp_matches(name, '{offers}') ELSE false END],
            [attr_json[name] FOR name IN map_keys(attr_json)
                IF CASE WHEN contains(name, 'tool') THEN regexp_matches(name, '{offers}') ELSE false END]) END AS offers
    FROM told
)
SELECT place, CASE
        WHEN message IS NULL THEN NULL
        WHEN regexp_matches(message, 'context.?(length|window)|(prompt|input) is too long|maximum context'
            || '|too many tokens') THEN 'Context Handling Failures'
        WHEN regexp_matches(message, 'rate.?limit|too many requests|\b429\b') THEN 'Rate Limiting'
        WHEN regexp_matches(message, 'time(d)?.?out|deadline.?exceeded') THEN 'Timeout Issues'
        WHEN regexp_matches(message, 'unauthori[sz]ed|authentication|forbidden|invalid api.?key|\b40[13]\b')
            THEN 'Authentication Errors'
        WHEN regexp_matches(message, 'out of memory|memoryerror|quota|disk full|no space left')
            THEN 'Resource Exhaustion'
        WHEN regexp_matches(message, 'modulenotfound|importerror|no module named|not among the authori[sz]ed imports'
            || '|permission ?(denied|error)|command not found') THEN 'Environment Setup Errors'
        WHEN regexp_matches(message, 'filenotfound|no such file|does not exist|\b404\b') THEN 'Resource Not Found'
        WHEN regexp_matches(message, 'service.?unavailable|internal.?server|bad gateway|overloaded'
            || '|connection.?(error|refused|reset)|\b50[0234]\b') THEN 'Service Errors'
    END AS kind,
    len(list_filter(
        flatten([
            CASE WHEN contains(offer, '"name"') THEN regexp_extract_all(offer, '"name"\s*:\s*"([^"]+)"', 1)
                ELSE regexp_extract_all(offer, '"([^"]+)"', 1) END
            FOR offer IN offers]),
        lambda tool: NOT regexp_matches(lower(tool), '^{ending}$'))) > 0 AS offers,
    {looks}
FROM content
