-- What the traffic can tell, skill by skill, the most runs first.
SELECT skill, units_a_day, detectable_30_days, three_points_by, advice,
       -- A run teaches nothing when it lacks any of the three; they overlap, so the largest is a lower bound.
       greatest(without_skill, without_outcome, without_propensity) AS silent_share
FROM skill_outlook
WHERE skill <> '*'
ORDER BY runs DESC, skill
LIMIT 25
