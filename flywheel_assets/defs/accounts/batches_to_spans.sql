-- No span comes from nowhere, and no batch gives more spans than it holds. (What the difference is,
-- duplicates or spans of other days, is counted when a day is decoded.)
SELECT CAST(NULL AS DATE) AS day,
       (SELECT count(*) FROM raw_spans) AS rows_in,
       (SELECT coalesce(sum(least(s.n, b.n)), 0)::BIGINT
        FROM (SELECT batch_id, count(*) AS n FROM raw_spans GROUP BY batch_id) AS s
        JOIN (SELECT batch_id, max(spans - spans_set_aside) AS n FROM landed_batches
              WHERE status = 'accepted' GROUP BY batch_id) AS b USING (batch_id)) AS rows_out,
       0 AS set_aside
