-- What spans were set aside for, over all batches.
SELECT reason AS why, count(*) AS spans FROM span_rejections GROUP BY why ORDER BY spans DESC, why;
