"""JSON Schemas of what agents load, so that a client in any language can check a document."""

import json

from pydantic import BaseModel

from flywheel_assets.artifacts.channel import Pointer
from flywheel_assets.artifacts.evidence import Evidence
from flywheel_assets.tables.documents.routing import PromptDocument, RoutingDocument

DOCUMENTS: dict[str, type[BaseModel]] = {
    "channel": Pointer,
    "evidence": Evidence,
    "prompt": PromptDocument,
    "routing": RoutingDocument,
}


def schemas() -> dict[str, bytes]:
    """File name → JSON Schema (draft 2020-12), as written; `schema/` beside this module holds the same."""
    return {
        f"{name}.json": (json.dumps(_schema(document), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
        for name, document in DOCUMENTS.items()
    }


def _schema(document: type[BaseModel]) -> dict[str, object]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **document.model_json_schema(by_alias=True, mode="serialization"),
    }
