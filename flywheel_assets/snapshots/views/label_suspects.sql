-- Labels that do not fit what else is known of their runs: for people to look at again.
CREATE VIEW label_suspects AS
SELECT
    day, skill, example_id, outcome, tier, votes, confidence, weight,
    1 - weight / (2 * confidence - 1) AS weight_lost,
    labelers
FROM labeled_examples
WHERE weight < 2 * confidence - 1 - 1e-9
ORDER BY weight_lost DESC, example_id;

COMMENT ON VIEW label_suspects IS 'Labels that do not fit what else is known of their runs (confident learning): for people to look at again.';
COMMENT ON COLUMN label_suspects.day IS 'UTC day on which the run started';
COMMENT ON COLUMN label_suspects.skill IS 'Skill';
COMMENT ON COLUMN label_suspects.example_id IS 'The run, as flywheel used-by takes it';
COMMENT ON COLUMN label_suspects.outcome IS 'What it is labelled [outcome]';
COMMENT ON COLUMN label_suspects.tier IS 'Who said so: human | judge';
COMMENT ON COLUMN label_suspects.votes IS 'Votes cast [votes]';
COMMENT ON COLUMN label_suspects.confidence IS 'Confidence of the label by its votes [probability]';
COMMENT ON COLUMN label_suspects.weight IS 'Weight it has now [weight]';
COMMENT ON COLUMN label_suspects.weight_lost IS 'Share of its weight that it lost [share]';
COMMENT ON COLUMN label_suspects.labelers IS 'Labelers that voted';
