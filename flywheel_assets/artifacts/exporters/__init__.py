"""One module per consumer that has a format of its own: the file's name is the consumer.

A module states `PLACE`, the file or folder that it writes under `exports/`, and `render(material)`. Add a
consumer by adding a module, or from another package by the entry point group `flywheel.exporters`.
"""
