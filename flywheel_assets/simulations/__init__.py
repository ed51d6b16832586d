"""Simulations: how often the code that decides is wrong, how soon it is right, and what its intervals cover.

Here belong made-up worlds with a known truth, and what is counted over many of them. The decisions,
scores and momentum that are measured are the ones in use; nothing of them is written a second time.
"""
