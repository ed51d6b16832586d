"""Who votes on examples, one rule a file. A labeler says what it saw; it never decides.

Add one by adding a file with a `LABELER`, or from another package by the entry point group
`flywheel_assets.labelers`.
"""
