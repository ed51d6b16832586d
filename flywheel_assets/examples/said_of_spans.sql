-- Errors that judges and people named on spans of the day's failed runs, the latest word of each; and who looked
-- through which run: whoever said anything of it or of a span of it. A word that bears the name of a kind and no
-- good value names an error of that kind.
WITH places AS (
    SELECT run_id, skill, trace_id, span_id, concat(trace_id, ':', span_id) AS place FROM named_spans
    UNION ALL SELECT DISTINCT run_id, skill, NULL, NULL, run_id FROM named_spans
),
said AS (
    SELECT p.*, f.name, f.author_id, coalesce(f.author_version, '-') AS author_version, f.tier, f.value,
        coalesce(f.comment, f.value_text, 'said so') AS evidence
    FROM feedback f JOIN places p ON p.place = f.target_id
    WHERE f.target_kind IN ('run', 'span') AND f.tier IN ('judge', 'human') AND f.author_id != 'unregistered'
    QUALIFY row_number() OVER (PARTITION BY p.place, f.name, f.author_id ORDER BY f.observed_at DESC, f.feedback_id) = 1
)
SELECT *, span_id IS NOT NULL AND list_contains($kinds, name) AND coalesce(value, 0) < 0.5 AS names FROM said
