"""Pictures of the wheel as SVG text, one per file; colours come from the page that they stand in.

A plot takes rows as dictionaries and a width in pixels, and reads nothing.
"""
