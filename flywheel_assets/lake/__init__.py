"""Delta tables: open at a version, overwrite a day, append once, pin, vacuum. Nothing else opens them.

The same calls work on a folder and on an object store URL (`s3://`, `gs://`, `abfss://`).
What the rows mean is in `tables/`; which are computed when is in `lake/stale.py`.
"""
