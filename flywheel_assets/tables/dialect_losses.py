"""What became of every span attribute, by convention: nothing is mapped or left unmapped in silence."""

from flywheel_assets.tables.table import DAY, INT, TEXT, Column, Table

DIALECT_LOSSES = Table(
    name="dialect_losses",
    stage="spans",
    row="One attribute key on the day's spans of one convention, and one column that it feeds.",
    key=("day", "dialect", "attribute", "column_name"),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day of the spans' start", required=True),
        Column("dialect", TEXT, "The spans' dialect; 'none' where no convention told their operation", required=True),
        Column("attribute", TEXT, "Attribute key, with `<i>` for each number between its dots", required=True),
        Column("column_name", TEXT, "Column of raw_spans that it feeds; '-': none, it is kept unmapped", required=True),
        Column("spans", INT, "Spans that carried it", "spans", required=True),
        Column("believed", INT, "Of these, it gave the column its value; NULL: unmapped", "spans"),
        Column("outranked", INT, "Another attribute was believed instead; NULL: unmapped", "spans"),
        Column(
            "conflicting",
            INT,
            "Of the outranked, it said something else; NULL: unmapped, or content, which is not compared",
            "spans",
        ),
        Column("silent", INT, "It said nothing: empty, never set, or no value that its convention knows", "spans"),
        Column("unusable", INT, "It was the best there was, and no value that the column can hold", "spans"),
    ),
)
