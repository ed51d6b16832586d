WITH best AS (
    SELECT example_id, min(place) AS place, dense_rank() OVER (ORDER BY example_id) AS example
    FROM ballots JOIN tiers USING (tier) WHERE decides GROUP BY example_id
),
outcomes AS (
    SELECT b.example_id, t.tier, d.outcome, d.confidence
    FROM best b JOIN decided d USING (example) JOIN tiers t USING (place)
)
SELECT
    c.example_id,
    any_value(o.outcome) AS outcome,
    any_value(o.confidence) AS confidence,
    2 * any_value(o.confidence) - 1 AS weight,
    any_value(o.tier) AS tier,
    list_sort(list(DISTINCT c.labeler)) AS labelers,
    count(*) AS votes,
    coalesce(count(*) FILTER ((c.value - 0.5) * (o.outcome - 0.5) < 0), 0) AS dissent
FROM ballots c LEFT JOIN outcomes o USING (example_id)
GROUP BY c.example_id;
