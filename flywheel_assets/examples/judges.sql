-- The days' sums together, by skill × arm and, as arm '*', by skill.
SELECT skill, coalesce(arm, '*') AS arm, author_id, author_version, name, max(last_said) AS last_said,
    list_sort(list_distinct(flatten(list(people)))) AS people,
    CAST(sum(free_n + anchor_n) AS BIGINT) AS judged,
    sum(COLUMNS('^(free|anchor|both|judge|person)_[a-z]+$'))
FROM judge_day_stats
GROUP BY GROUPING SETS ((skill, arm, author_id, author_version, name), (skill, author_id, author_version, name))
ORDER BY ALL
