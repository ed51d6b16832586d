-- What examples were set aside for, over all days.
SELECT gate || ': ' || reason AS why, count(*) AS examples
FROM rejections
GROUP BY why
ORDER BY examples DESC, why;
