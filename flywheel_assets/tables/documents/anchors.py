"""The standing sample of runs that people are asked about, and what their answers are called.

Whether a run is in it hangs on its id alone, so that nothing anybody saw of the run can have chosen it:
that is what makes people's answers a measure of judges.
"""

# The name of a person's answer about a run of the sample. Other words of people are labels, and no measure.
ANCHOR = "anchor"
# A share of runs when skills.yaml names none.
SHARE = 0.05
# A number in [0, 1) from `run_id`, in DuckDB's SQL; MD5 rather than DuckDB's own hash, which may change.
DRAW = "CAST(concat('0x', substr(md5(concat('anchor ', run_id)), 1, 12)) AS BIGINT) / 281474976710656.0"
# Whether a run is in the sample, in the same SQL, beside the table `label_settings`.
DRAWN = f"{DRAW} < coalesce((SELECT value FROM label_settings WHERE name = 'anchor_share'), {SHARE})"
