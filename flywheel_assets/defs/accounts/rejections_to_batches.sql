-- Every span set aside has its reason.
SELECT CAST(NULL AS DATE) AS day,
       (SELECT coalesce(sum(spans_set_aside), 0)::BIGINT FROM landed_batches WHERE status = 'accepted') AS rows_in,
       0 AS rows_out,
       (SELECT count(*) FROM span_rejections) AS set_aside
