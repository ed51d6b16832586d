"""One gate per file; the file name is the rule, and each file exports its gate as `GATE`.

A gate gives one verdict per example and sees no other day's text. To add one, add a file here or
declare an entry point in the group `flywheel_assets.gates` that loads such an object.
"""
