"""One module per prompt registry: the file's name is what FLYWHEEL_PROMPT_REGISTRIES calls it.

A module offers `push(prompt, environment)`, which puts the prompt in production there, whether or not an
earlier attempt got through, and says why it could not. What was pushed is remembered by `push.py`.
"""
