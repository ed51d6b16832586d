"""ClickHouse's HTTP face over the embedded engine of `chdb`, for tests: real SQL on the real engine.

One process, because the engine allows one session in each. It passes on queries with their parameters and
inserts with their body. It cannot show what the real server adds to the engine: users and their limits,
settings per query, compression, replication, concurrent writers.
"""

import sys
import threading

import uvicorn
from chdb.session import Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


def application() -> Starlette:
    engine, one_at_a_time = Session(), threading.Lock()

    def answer(sql: str, given: dict[str, str]) -> Response:
        with one_at_a_time:
            try:
                found = engine.query(sql, "TabSeparated", params=given or None)
            except RuntimeError as error:
                return PlainTextResponse(str(error), 500, {"X-ClickHouse-Exception-Code": "1"})
        return Response(bytes(found.bytes() or b""), headers={"X-ClickHouse-Summary": "{}"})

    async def query(request: Request) -> Response:
        body = (await request.body()).decode()
        given = {key.removeprefix("param_"): value for key, value in request.query_params.items() if "param_" in key}
        asked = request.query_params.get("query", "")
        return answer(f"{asked}\n{body}" if asked else body, given)

    async def ping(_: Request) -> Response:
        return PlainTextResponse("Ok.\n")

    return Starlette(routes=[Route("/", query, methods=["GET", "POST"]), Route("/ping", ping)])


if __name__ == "__main__":
    uvicorn.run(application(), port=int(sys.argv[1]), log_level="error", lifespan="off")
