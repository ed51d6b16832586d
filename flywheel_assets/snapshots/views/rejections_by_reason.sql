-- What the gates refused, and why.
CREATE VIEW rejections_by_reason AS
WITH seen AS (
    SELECT skill, count(*) AS examples FROM labeled_examples GROUP BY skill
)
SELECT
    r.skill, r.gate, r.reason, r.state, r.grain,
    count(*) AS examples,
    count(*) / any_value(seen.examples) AS share,
    min(r.day) AS first_day, max(r.day) AS last_day,
    arg_max(r.example_id, r.start_time) AS latest_example_id
FROM rejections AS r
LEFT JOIN seen ON seen.skill IS NOT DISTINCT FROM r.skill
GROUP BY r.skill, r.gate, r.reason, r.state, r.grain
ORDER BY examples DESC, r.skill, r.gate, r.reason;

COMMENT ON VIEW rejections_by_reason IS 'Examples that were not admitted, counted by the gate that decided and its reason.';
COMMENT ON COLUMN rejections_by_reason.skill IS 'Skill; NULL: unknown';
COMMENT ON COLUMN rejections_by_reason.gate IS 'Gate that decided';
COMMENT ON COLUMN rejections_by_reason.reason IS 'Its reason code';
COMMENT ON COLUMN rejections_by_reason.state IS 'held (may pass later) | discarded';
COMMENT ON COLUMN rejections_by_reason.grain IS 'run | span';
COMMENT ON COLUMN rejections_by_reason.examples IS 'How many [examples]';
COMMENT ON COLUMN rejections_by_reason.share IS 'Of all the skill''s labeled_examples [share]';
COMMENT ON COLUMN rejections_by_reason.first_day IS 'First day on which it happened';
COMMENT ON COLUMN rejections_by_reason.last_day IS 'Last day on which it happened';
COMMENT ON COLUMN rejections_by_reason.latest_example_id IS 'The newest of them, to look at';
