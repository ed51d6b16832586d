"""Routing candidates: other models for a skill, with the prompt that is in production.

Ranking and refusing belong here. Shares of traffic do not: they are said at registration.
"""
