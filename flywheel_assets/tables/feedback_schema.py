"""The JSON Schema of posted feedback.

`python -m flywheel_assets.tables.feedback_schema > docs/feedback.schema.json` writes it.
"""

import json
import sys

from flywheel_assets.tables.documents.feedback import PostedFeedback


def feedback_schema() -> str:
    """What `POST /v1/feedback` and files of feedback hold, a statement a line."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **PostedFeedback.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(feedback_schema())
