-- Looking into attributes reads them all: only where there is something to look for.
WITH collapsed AS (
    SELECT day, trace_id, span_id, service_name, attr_text['system_bus.component'] AS component, name,
        attr_text['flywheel.storm.signature'] AS signature, attr_int['flywheel.storm.count'] AS count,
        start_time AS first_time, start_time + to_microseconds(coalesce(duration_ns, 0) // 1000) AS last_time,
        true AS collapsed
    FROM raw_spans
    WHERE $some AND day = $day AND operation = 'storm'
),
failures AS (
    SELECT day, trace_id, span_id, service_name, name, start_time, start_unix_nano,
        left(coalesce(error_type, regexp_replace(status_message, '[0-9a-f]{8}-[0-9a-f-]{27}|\d+', '#', 'g')), 200)
            AS signature
    FROM raw_spans
    -- Only what cannot be part of a run: equal failures of many runs are so many failures.
    WHERE day = $day AND status = 'error' AND invocation_id IS NULL AND (operation IS NULL OR operation = 'other')
),
bursts AS (
    SELECT min(day) AS day, arg_min(trace_id, {'t': start_unix_nano, 's': span_id}) AS trace_id,
        arg_min(span_id, {'t': start_unix_nano, 's': span_id}) AS span_id, service_name, NULL AS component, name,
        signature, count(*) AS count, min(start_time) AS first_time, max(start_time) AS last_time, false AS collapsed
    FROM failures
    GROUP BY service_name, name, signature, date_trunc('minute', start_time)
    HAVING count(*) > $more_than
)
SELECT * FROM collapsed UNION ALL BY NAME SELECT * FROM bursts ORDER BY first_time, trace_id, span_id
