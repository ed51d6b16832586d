"""Candidates: what might be better than what is in production, and why it is worth a trial.

Proposals are cheap and may be wrong: only a trial decides (`decisions`). Everything here is a pure
function of scores, admitted observations, skills.yaml and a seed.
"""
