"""Landed batches → `raw_spans`: OTLP bytes to typed columns, whatever convention the spans follow.

Here belong OTLP's two encodings, the dialects (`dialects/`, one convention a file, as data), and
which of several copies of a span is kept. What spans add up to is in `runs/`; where batches come
from is in `sources/`.
"""
