"""Runs → labeled examples: what was said of a run, who said it, and how sure one can be.

Here: feedback in every form it arrives in, the labelers (`labelers/`), and the fusion of their
votes. Not here: whether an example is fit to learn from (`observations/`), or what it teaches.
"""
