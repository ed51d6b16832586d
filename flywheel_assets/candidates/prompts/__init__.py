"""Prompt candidates: the prompt in production, plus lessons and examples from admitted runs.

What a lesson or an example may be made of belongs here. Redaction does not: observations come redacted.
"""
