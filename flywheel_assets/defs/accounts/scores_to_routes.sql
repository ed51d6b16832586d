-- Every scored arm of a skill that has routes considered is considered, and has a reason.
SELECT CAST(NULL AS DATE) AS day,
       (SELECT count(*) FROM skill_scores AS s SEMI JOIN routing_candidates AS r ON r.skill = s.skill) AS rows_in,
       (SELECT count(*) FROM skill_scores AS s
        SEMI JOIN routing_candidates AS r ON r.skill = s.skill AND r.arm = s.arm) AS rows_out,
       0 AS set_aside
