-- What came in through each source, and what of it was not taken.
SELECT
    source,
    count(*) AS batches,
    count(*) FILTER (status = 'duplicate') AS duplicates,
    count(*) FILTER (status = 'rejected') AS rejected,
    coalesce(sum(spans) FILTER (status = 'accepted' AND signal = 'traces'), 0)::BIGINT AS spans,
    coalesce(sum(spans) FILTER (status = 'accepted' AND signal = 'feedback'), 0)::BIGINT AS feedback,
    coalesce(sum(spans_set_aside) FILTER (status = 'accepted'), 0)::BIGINT AS set_aside,
    count(*) FILTER (landed_at = $landed_at) AS landed_now,
    max(landed_at) AS last_landed,
    max(list_max(days)) AS last_day
FROM landed_batches
GROUP BY source
ORDER BY source;
