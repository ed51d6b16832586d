-- How late spans came: from a span's end until its batch was landed. Imported history is as late as it is old.
CREATE VIEW source_lag AS
SELECT
    source, day, count(*) AS spans,
    median(lag) AS median_seconds, quantile_cont(lag, 0.95) AS p95_seconds, max(lag) AS largest_seconds
FROM (
    SELECT l.source, r.day, (epoch_us(l.landed_at) - epoch_us(r.start_time)) / 1e6 - coalesce(r.duration_ns, 0) / 1e9 AS lag
    FROM raw_spans AS r JOIN landed_batches AS l ON l.batch_id = r.batch_id AND l.status = 'accepted'
)
GROUP BY ALL
ORDER BY source, day;

COMMENT ON VIEW source_lag IS 'How late spans came, by source and day: from a span''s end until its batch was landed.';
COMMENT ON COLUMN source_lag.source IS 'Where the batches came from';
COMMENT ON COLUMN source_lag.day IS 'UTC day on which the spans started';
COMMENT ON COLUMN source_lag.spans IS 'Spans [spans]';
COMMENT ON COLUMN source_lag.median_seconds IS 'Half of them came no later than this after their end [s]';
COMMENT ON COLUMN source_lag.p95_seconds IS 'Nineteen of twenty came no later [s]';
COMMENT ON COLUMN source_lag.largest_seconds IS 'The last one came so late [s]';
