"""A stand-in for a Typesense server, ours, for tests on machines that have none.

It keeps collections, documents and aliases in memory and refuses what Typesense's documentation says
is refused: a wrong key, unknown names, documents that lack a field or have one of another type, and
every request beyond the part that we use, which `QUERIES` and `BODIES` spell out. Searches match all documents
between two times and sort by time, newest insertion first among equals. It cannot show what it does not
know: text search, ranking, limits, timing, clustering, or any mistake that we share with it. Set
TYPESENSE_URL and TYPESENSE_API_KEY to run the marked tests against a real server.
"""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jsonschema
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

KEY = "loopback-key"
FITS = {"string": str, "int64": int, "int32": int, "float": (int, float), "bool": bool, "string[]": list}
BETWEEN = re.compile(r"timestamp:>=(-?\d+) && timestamp:<(-?\d+)")
# What we send, by path: the query, and the body where it is one JSON object. Nothing else is let in.
SEARCH = {
    "q": "^[*]$",
    "query_by": "^[a-z_,]+$",
    "sort_by": "^timestamp:(asc|desc)$",
    "per_page": "^([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|250)$",
    "page": "^[1-9][0-9]*$",
    "filter_by": BETWEEN.pattern,
    "exclude_fields": "^[a-z_,]+$",
}
FIELD = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "type"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "type": {"enum": list(FITS)},
        "facet": {"type": "boolean"},
        "optional": {"type": "boolean"},
    },
}
BODIES: dict[str, dict[str, Any]] = {
    "POST /collections": {
        "additionalProperties": False,
        "required": ["name", "fields", "default_sorting_field"],
        "properties": {
            "name": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
            "fields": {"type": "array", "items": FIELD, "minItems": 1},
            "default_sorting_field": {"type": "string"},
        },
    },
    "PUT /aliases/{alias}": {
        "additionalProperties": False,
        "required": ["collection_name"],
        "properties": {"collection_name": {"type": "string"}},
    },
}
QUERIES: dict[str, dict[str, str]] = {
    "POST /collections/{name}/documents/import": {"action": "^upsert$"},
    "GET /collections/{name}/documents/search": SEARCH,
    "GET /collections/{name}/documents/export": {key: SEARCH[key] for key in ("filter_by", "exclude_fields")},
}


@dataclass(slots=True)
class Standin:
    """State that tests look at: collections by name with their documents by id, and aliases."""

    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    documents: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    url: str = ""

    def app(self) -> Starlette:
        """The server."""
        routes = [
            Route("/collections", self.list_collections, methods=["GET"]),
            Route("/collections", self.create, methods=["POST"]),
            Route("/collections/{name}", self.one, methods=["GET", "DELETE"]),
            Route("/collections/{name}/documents/import", self.fill, methods=["POST"]),
            Route("/collections/{name}/documents/search", self.search, methods=["GET"]),
            Route("/collections/{name}/documents/export", self.export, methods=["GET"]),
            Route("/aliases/{alias}", self.point, methods=["PUT", "GET"]),
        ]
        return Starlette(routes=[Route(r.path, keyed(r), methods=list(r.methods or ())) for r in routes])

    async def list_collections(self, _: Request) -> Response:
        return JSONResponse([self.described(name) for name in self.collections])

    async def create(self, request: Request) -> Response:
        schema = await request.json()
        sorts = {f["name"]: f for f in schema["fields"]}.get(schema["default_sorting_field"])
        if schema["name"] in self.collections:
            return refusal(409, f"A collection with name `{schema['name']}` already exists.")
        if sorts is None or sorts["type"] not in {"int32", "int64", "float"} or sorts.get("optional"):
            return refusal(400, "Default sorting field must be a required number.")
        self.collections[schema["name"]], self.documents[schema["name"]] = schema, {}
        return JSONResponse(self.described(schema["name"]), 201)

    async def one(self, request: Request) -> Response:
        name = self.aliases.get(request.path_params["name"], request.path_params["name"])
        if name not in self.collections:
            return refusal(404, f"No collection with name `{name}` found.")
        found = self.described(name)
        if request.method == "DELETE":
            del self.collections[name], self.documents[name]
        return JSONResponse(found)

    async def fill(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self.collections:
            return refusal(404, f"No collection with name `{name}` found.")
        lines = [json.loads(line) for line in (await request.body()).splitlines()]
        return PlainTextResponse("\n".join(json.dumps(self.keep(name, document)) for document in lines))

    async def search(self, request: Request) -> Response:
        name, asked = request.path_params["name"], request.query_params
        if name not in self.collections:
            return refusal(404, f"No collection with name `{name}` found.")
        found = self.between(name, asked.get("filter_by"))
        if asked["sort_by"].endswith("desc"):
            found.sort(key=lambda document: -document["timestamp"])
        page, size = int(asked["page"]), int(asked["per_page"])
        hits = [{"document": without(one, asked)} for one in found[(page - 1) * size : page * size]]
        return JSONResponse({"found": len(found), "page": page, "hits": hits})

    async def export(self, request: Request) -> Response:
        name = request.path_params["name"]
        found = self.between(name, request.query_params.get("filter_by"))
        return PlainTextResponse("\n".join(json.dumps(without(one, request.query_params)) for one in found))

    def between(self, name: str, where: str | None) -> list[dict[str, Any]]:
        limits = BETWEEN.fullmatch(where or "")
        first, last = map(int, limits.groups()) if limits else (-(2**63), 2**63)
        found = [one for one in self.documents[name].values() if first <= one["timestamp"] < last]
        found.reverse()
        return sorted(found, key=lambda document: document["timestamp"])

    async def point(self, request: Request) -> Response:
        alias = request.path_params["alias"]
        if request.method == "PUT":
            target = (await request.json())["collection_name"]
            if target not in self.collections:
                return refusal(404, "Collection not found.")
            self.aliases[alias] = target
        return JSONResponse({"name": alias, "collection_name": self.aliases[alias]})

    def described(self, name: str) -> dict[str, Any]:
        return {**self.collections[name], "num_documents": len(self.documents[name]), "created_at": 0}

    def keep(self, name: str, document: dict[str, Any]) -> dict[str, Any]:
        for wanted in self.collections[name]["fields"]:
            value = document.get(wanted["name"])
            if value is None and not wanted.get("optional"):
                return {
                    "success": False,
                    "error": f"Field `{wanted['name']}` has been declared in the schema, but is not found.",
                }
            known = value is not None
            if known and (
                not isinstance(value, FITS[wanted["type"]]) or isinstance(value, bool) != (wanted["type"] == "bool")
            ):
                return {"success": False, "error": f"Field `{wanted['name']}` must be a {wanted['type']}."}
        if not isinstance(document.get("id"), str):
            return {"success": False, "error": "Document's `id` field should be a string."}
        self.documents[name][document["id"]] = document
        return {"success": True}


def without(document: dict[str, Any], asked: Any) -> dict[str, Any]:
    left_out = asked.get("exclude_fields", "").split(",")
    return {name: value for name, value in document.items() if name not in left_out}


def fault_of(request: Request, path: str, body: bytes) -> str | None:
    """Why the request is not one of those that we know to be right."""
    place = f"{request.method} {path}"
    known = QUERIES.get(place, {})
    for name, value in request.query_params.multi_items():
        if name not in known or not re.search(known[name], value):
            return f"{place}: {name}={value} is not among what we use"
    if place in BODIES:
        faults = jsonschema.Draft202012Validator(BODIES[place]).iter_errors(json.loads(body))
        return next((f"{place}: {fault.message}" for fault in faults), None)
    return f"{place}: no body is expected" if body and place not in QUERIES else None


def keyed(route: Route) -> Any:
    async def checked(request: Request) -> Response:
        if request.headers.get("x-typesense-api-key") != KEY:
            return refusal(401, "Forbidden - a valid `x-typesense-api-key` header must be sent.")
        fault = fault_of(request, route.path, await request.body())
        return refusal(400, fault) if fault else await route.endpoint(request)

    return checked


def refusal(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)


@contextmanager
def serving() -> Iterator[Standin]:
    """A stand-in on a port of loopback."""
    standin = Standin()
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(standin.app(), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    standin.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        yield standin
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
