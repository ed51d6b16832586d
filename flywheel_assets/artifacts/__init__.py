"""Decisions become the documents that agents load: routing, prompts, and exports for other routers.

Here: what a routing document says given the state of each skill's rollout, the folder it is
published to, and one module per foreign format. Not here: whether anything deserves promotion
(`decisions/`), and how an agent draws from a document (`client/`).
"""
