"""A labelling queue: a file of questions, CSV or JSON lines, in which people write their answers.

It comes back through the inbox or `flywheel labels ingest`. Lines that nobody filled in say nothing.
"""

# The first column, by which such a file is known; its values are the queues' names.
MARK = "flywheel_queue"
ANCHORS = "anchors"
SUSPECTS = "suspects"
UNLABELED = "unlabeled"
QUEUES = (ANCHORS, SUSPECTS, UNLABELED)
ASKED = (MARK, "target_kind", "target_id", "day", "skill", "request", "answer", "why")
# `verdict` is a word, `value` a number from 0 to 1, `correction` what the answer should have been.
FILLED = ("verdict", "value", "correction", "comment", "author")
COLUMNS = (*ASKED, *FILLED)
WORDS = {
    **dict.fromkeys(("pass", "good", "yes", "true", "1"), 1.0),
    **dict.fromkeys(("fail", "bad", "no", "false", "0"), 0.0),
    **dict.fromkeys(("unclear", "?"), None),
}
UNCLEAR = "unclear"
# What people's answers are called, unless they are about the standing sample.
LABEL = "label"
# In front of text that a spreadsheet would take for a formula; taken off again.
GUARD = "'"
EXECUTED = ("=", "+", "-", "@", "\t", "\r")
