-- Which equal failures and events flood the stream, and whether rows were spared.
CREATE VIEW storms_by_signature AS
SELECT service_name, component, name, signature, collapsed,
    sum(count)::BIGINT AS count, count(*) AS bursts, min(first_time) AS first_time, max(last_time) AS last_time
FROM storms
GROUP BY service_name, component, name, signature, collapsed
ORDER BY count DESC, name, signature;

COMMENT ON VIEW storms_by_signature IS 'Storms over all days, the largest first: spans that are equal but for their time.';
COMMENT ON COLUMN storms_by_signature.service_name IS 'Who emitted it';
COMMENT ON COLUMN storms_by_signature.component IS 'Component, where the emitter names one';
COMMENT ON COLUMN storms_by_signature.name IS 'Action, or span name';
COMMENT ON COLUMN storms_by_signature.signature IS 'What the errors share; else a hash of the content';
COMMENT ON COLUMN storms_by_signature.collapsed IS 'true: raw_spans has one row a burst; false: it has them all';
COMMENT ON COLUMN storms_by_signature.count IS 'How many there were [spans]';
COMMENT ON COLUMN storms_by_signature.bursts IS 'Bursts of at most a minute [bursts]';
COMMENT ON COLUMN storms_by_signature.first_time IS 'Time of the first';
COMMENT ON COLUMN storms_by_signature.last_time IS 'Time of the last';
