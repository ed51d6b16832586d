"""Gates decide which labelled examples become evidence; every example ends admitted or set aside.

Here belong the gates, what they share (text signatures, secret patterns) and the admission that
applies them and redacts. How an outcome was found belongs in `examples/`, what it is worth in `scores/`.
"""
