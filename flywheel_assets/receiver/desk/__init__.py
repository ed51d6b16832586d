"""The desk: pages on which people do what only people can, e.g. approve a promotion.

Server-rendered forms with a session and protection against forged requests. What there is to do, and what
an answer does, is given by whoever starts the receiver: nothing here knows of tables or decisions.
"""
