-- What tools gave back to the day's runs, where it hints at planted instructions: candidates, to be judged.
SELECT members.run_id, spans.span_id, spans.attr_text[spans.output_key] AS text
FROM raw_spans AS spans
JOIN run_spans AS members ON members.trace_id = spans.trace_id AND members.span_id = spans.span_id
WHERE spans.day = $day AND members.day = $day AND spans.operation IN ('tool', 'retrieval') AND spans.output_key IS NOT NULL
    AND members.run_id IS NOT NULL
    AND regexp_matches(spans.attr_text[spans.output_key], $hint)
ORDER BY members.run_id, spans.span_id
