"""Publication to Typesense: a new collection is filled and counted beside, then the alias is moved to it."""

import json
import re
import warnings
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import httpx
import typesense
from typesense.exceptions import TypesenseClientError

from flywheel_assets.lake.session import reading
from flywheel_assets.snapshots.collections import COLLECTIONS, Collection

STAMP = "%Y%m%dT%H%M%S"
BATCH = 1000
# The one before stays, for searches that resolved the alias just before it moved.
KEPT = 2
# The client lets errors of the connection through as they are.
REFUSALS = (TypesenseClientError, httpx.HTTPError)


class PublishError(RuntimeError):
    """A collection could not be filled; its alias still points where it did."""


@dataclass(frozen=True, slots=True)
class Published:
    """One alias, the collection that it points at now, and the documents in it."""

    alias: str
    collection: str
    documents: int


def publish(
    snapshot: Path, url: str, api_key: str, at: datetime, collections: Sequence[Collection] = COLLECTIONS
) -> list[Published]:
    """Publish the snapshot's collections to the Typesense server at `url` (with a port or a known scheme).

    Raises PublishError with the server's words for the first collection that it refuses; what was
    filled of it is removed, and aliases moved before stay moved.
    """
    con = reading(snapshot)
    try:
        con.execute("SET TimeZone = 'UTC'")
        with warnings.catch_warnings():
            # Whatever is asked of it, the client also makes parts of itself that it deprecates.
            warnings.filterwarnings("ignore", r"Sync\w+ is deprecated on v30", DeprecationWarning)
            client = _client(url, api_key)
            with closing(client.api_call):
                return [_publish(client, con, collection, at) for collection in collections]
    finally:
        con.close()


def _client(url: str, api_key: str) -> typesense.Client:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    node = {"host": parts.hostname or "", "port": port, "protocol": parts.scheme, "path": parts.path.rstrip("/")}
    return typesense.Client({"nodes": [node], "api_key": api_key, "connection_timeout_seconds": 60})  # pyright: ignore[reportArgumentType]


def _publish(
    client: typesense.Client, con: duckdb.DuckDBPyConnection, collection: Collection, at: datetime
) -> Published:
    name = f"{collection.name}_{at.strftime(STAMP)}"
    try:
        client.collections.create(_schema(collection, name))
    except REFUSALS as refused:
        raise PublishError(f"{name}: {refused}") from refused
    try:
        with closing(_documents(con, collection)) as batches:
            count = sum(_fill(client, name, documents) for documents in batches)
        _expect(client, name, count)
        client.aliases.upsert(collection.name, {"collection_name": name})
    except (*REFUSALS, PublishError) as refused:
        with suppress(*REFUSALS):
            client.collections[name].delete()
        raise PublishError(f"{name}: {refused}") from refused
    for old in _published(client, collection)[KEPT:]:
        client.collections[old].delete()
    return Published(collection.name, name, count)


def _schema(collection: Collection, name: str) -> Any:  # noqa: ANN401 - the client's types lack plain fields
    fields = [
        {"name": field.name, "type": field.type, "facet": field.facet, "optional": field.optional}
        for field in collection.fields
    ]
    return {"name": name, "fields": fields, "default_sorting_field": collection.sorted_by}


def _documents(con: duckdb.DuckDBPyConnection, collection: Collection) -> Generator[list[dict[str, Any]]]:
    """Documents in batches; what is NULL is left out, as Typesense wants of optional fields."""
    # Closed when a batch is refused: with a result left open, opening the file again would wait for ever.
    with con.sql(collection.question).to_arrow_reader(BATCH) as reader:
        for batch in reader:
            yield [{name: value for name, value in row.items() if value is not None} for row in batch.to_pylist()]


def _fill(client: typesense.Client, name: str, documents: list[dict[str, Any]]) -> int:
    lines = "\n".join(json.dumps(document, ensure_ascii=False) for document in documents)
    # Upsert, because the client repeats a request whose answer was lost.
    said = client.collections[name].documents.import_(lines, {"action": "upsert"})
    refused = [line for line in said.splitlines() if not json.loads(line)["success"]]
    if refused:
        raise PublishError(f"{len(refused)} of {len(documents)} documents were refused, the first with {refused[0]}")
    return len(documents)


def _expect(client: typesense.Client, name: str, count: int) -> None:
    there = client.collections[name].retrieve()["num_documents"]
    if there != count:
        raise PublishError(f"{count} documents were sent and {there} are there")


def _published(client: typesense.Client, collection: Collection) -> list[str]:
    """Collections that were published under this alias, newest first."""
    ours = re.compile(rf"{re.escape(collection.name)}_\d{{8}}T\d{{6}}")
    names = [found["name"] for found in client.collections.retrieve()]
    return sorted((name for name in names if ours.fullmatch(name)), reverse=True)
