-- Spans, as labelers see them: without content.
SELECT day AS span_day, trace_id, span_id, parent_span_id, name, operation,
    coalesce(response_model, request_model) AS model, status, error_type, tool_name, service_name, response_id,
    start_unix_nano, start_unix_nano + coalesce(duration_ns, 0) AS end_unix_nano
FROM raw_spans
