-- What became of the attributes that spans carry: what conventions say that no column keeps, or twice and differently.
CREATE VIEW attribute_losses AS
SELECT
    dialect, attribute, column_name,
    CASE
        WHEN column_name = '-' THEN 'kept unmapped'
        WHEN sum(conflicting) > 0 THEN 'conflicting'
        WHEN sum(unusable) > 0 THEN 'unusable'
        ELSE 'mapped'
    END AS fate,
    sum(spans)::BIGINT AS spans,
    sum(believed)::BIGINT AS believed,
    sum(outranked)::BIGINT AS outranked,
    sum(conflicting)::BIGINT AS conflicting,
    sum(silent)::BIGINT AS silent,
    sum(unusable)::BIGINT AS unusable,
    min(day) AS first_day, max(day) AS last_day
FROM dialect_losses
GROUP BY dialect, attribute, column_name
ORDER BY coalesce(sum(conflicting), 0) DESC, spans DESC, dialect, attribute, column_name;

COMMENT ON VIEW attribute_losses IS 'Every attribute key seen, over all days: which column takes it, if any, and on how many spans it was believed, outranked or of no use. In raw_spans all attributes are kept as received.';
COMMENT ON COLUMN attribute_losses.dialect IS 'Convention that told the spans'' operation; ''none'': none did';
COMMENT ON COLUMN attribute_losses.attribute IS 'Attribute key, with <i> for each number between its dots';
COMMENT ON COLUMN attribute_losses.column_name IS 'Column of raw_spans that it feeds; ''-'': none';
COMMENT ON COLUMN attribute_losses.fate IS 'kept unmapped | conflicting (said otherwise than what was believed, at least once) | unusable (at least once) | mapped';
COMMENT ON COLUMN attribute_losses.spans IS 'Spans that carried it [spans]';
COMMENT ON COLUMN attribute_losses.believed IS 'It gave the column its value [spans]';
COMMENT ON COLUMN attribute_losses.outranked IS 'Another attribute was believed instead [spans]';
COMMENT ON COLUMN attribute_losses.conflicting IS 'Of the outranked, it said something else; NULL: content, which is not compared [spans]';
COMMENT ON COLUMN attribute_losses.silent IS 'It said nothing [spans]';
COMMENT ON COLUMN attribute_losses.unusable IS 'The best there was, and no value that the column can hold [spans]';
COMMENT ON COLUMN attribute_losses.first_day IS 'First day on which it was seen';
COMMENT ON COLUMN attribute_losses.last_day IS 'Last day on which it was seen';
