"""Prompts worth a trial: compiled from admitted observations, each citing its runs, or put into a folder."""

from flywheel_assets.tables.table import INT, REAL, TEXT, TEXTS, Column, Table

PROMPT_CANDIDATES = Table(
    name="prompt_candidates",
    stage="candidates",
    row="One prompt proposed for one skill, or the reason why none is.",
    key=("skill", "prompt_version"),
    columns=(
        Column("candidate_id", TEXT, "Hash of skill and prompt text", required=True),
        Column("skill", TEXT, "Skill", required=True),
        Column(
            "prompt_version",
            TEXT,
            "First 12 hex digits of the text's SHA-256; '-' when none was compiled",
            required=True,
        ),
        Column("parent_version", TEXT, "Prompt it was built from"),
        Column("text", TEXT, "The prompt; NULL when there is none, or none that could be used", private="words"),
        Column("lessons", TEXTS, "Lessons in it", required=True, private="words"),
        Column("demonstrations", INT, "Demonstrations in it", "runs", required=True),
        Column("source_run_ids", TEXTS, "Runs that the demonstrations and lessons come from", required=True),
        Column("support", REAL, "Effective evidence behind it", "runs", required=True),
        Column("state", TEXT, "proposed | waiting (explored meanwhile) | refused", required=True),
        Column("reason", TEXT, "Why", required=True),
    ),
)
