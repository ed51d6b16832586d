"""The documents that agents load, every version that was ever published."""

from dataclasses import replace

from flywheel_assets.tables.table import FLAG, INT, TEXT, TIME, Column, Table

DOCUMENT = (
    Column("artifact_id", TEXT, "KIND-HASH, of the first 12 hex digits of content_hash", required=True),
    Column("version", INT, "Version, from 1", required=True),
    Column("parent_id", TEXT, "Artifact it replaced; NULL for the first"),
    Column("content_hash", TEXT, "SHA-256 of the document's canonical JSON", required=True),
    Column("document_json", TEXT, "The document", required=True),
    Column("entry_id", TEXT, "Ledger entry that caused it; NULL for the launch baseline"),
    Column("published_at", TIME, "When", required=True),
    Column("current", FLAG, "Whether the production channel points at it", required=True),
)

PROMOTED_ROUTING = Table(
    name="promoted_routing",
    stage="artifacts",
    row="One version of the routing document, for all skills.",
    key=("version",),
    columns=DOCUMENT,
)

PROMOTED_PROMPTS = Table(
    name="promoted_prompts",
    stage="artifacts",
    row="One prompt that a published routing document refers to.",
    key=("skill", "prompt_version"),
    columns=(
        Column("skill", TEXT, "Skill", required=True),
        Column("prompt_version", TEXT, "First 12 hex digits of the text's SHA-256", required=True),
        # What a prompt says is words; a route is not.
        *(replace(column, private="words") if column.name == "document_json" else column for column in DOCUMENT),
    ),
)
