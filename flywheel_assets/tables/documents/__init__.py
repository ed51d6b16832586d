"""Documents that cross a boundary as files, as pydantic models: what users write and agents load.

Row types are in the folder above. A model here validates, and computes nothing but its own hash.
"""
