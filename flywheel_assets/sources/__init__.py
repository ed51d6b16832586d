"""Stage 0: what arrives, landed exactly as received.

Here: the forms that batches have on disk, the durable spool, the landing of new batches with their
index, and reading them back. Not here: the network doors (`receiver/`), and what a span means
(`spans/`): of a batch only ids and start times are looked at.
"""
