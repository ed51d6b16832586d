"""How a label set's votes become probabilities: one method a file, and which of them the set itself bears out.

A label set is what one tier said of one skill's runs of a day. Which tier decides an example is `fuse.py`'s affair;
nothing here knows of tables.
"""
