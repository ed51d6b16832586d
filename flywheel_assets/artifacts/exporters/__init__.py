"""One module per consumer that has a format of its own: the file's name is the consumer.

A module states `FILE`, the file it writes under `exports/`, and `render(document, skills)`. Add a
consumer by adding a module, or from another package by the entry point group `flywheel.exporters`.
"""
