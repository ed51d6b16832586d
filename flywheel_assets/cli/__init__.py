"""What a person or a script types: commands, options and their help.

What a command does is in `commands/`; here it gets its words.
"""
