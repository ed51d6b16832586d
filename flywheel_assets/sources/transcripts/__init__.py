"""Session files of coding agents → OTLP, one agent a module.

A session is a conversation, what a user asked in it is a run, and model and tool calls are below it.
What was said stays outside unless it is asked for: a session holds whatever was on the screen.
"""
