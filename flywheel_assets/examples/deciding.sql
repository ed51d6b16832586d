-- Votes of the highest tier that decides, by example, in order of value.
WITH best AS (
    SELECT example_id, min(place) AS place FROM ballots JOIN tiers USING (tier) WHERE decides GROUP BY example_id
)
SELECT dense_rank() OVER (ORDER BY c.example_id) AS example, c.value, c.confidence
FROM ballots c JOIN tiers t USING (tier) JOIN best b ON b.example_id = c.example_id AND b.place = t.place
WHERE c.decides
ORDER BY example, c.value, c.confidence;
