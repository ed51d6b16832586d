-- What tools gave back on the day, where it is text.
SELECT trace_id, span_id, attr_text[output_key] AS text
FROM raw_spans
WHERE day = $day AND operation IN ('tool', 'retrieval') AND output_key IS NOT NULL
