"""Exports of other observability systems → OTLP and feedback, one system a module.

A module only says what its system's words mean; which spans are well formed, landing judges. What
cannot be read is handed on with a reason. Not here: systems that are asked over a network.
"""
