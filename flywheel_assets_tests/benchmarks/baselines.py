"""Two plain scripts to be measured against: they flatten spans and aggregate per skill, and no more.

No idempotence, no runs, no labels, no gates, no lineage: the least that anyone would write with
pandas or with DuckDB over the same JSON files. Each prints the seconds it took and what it found.
"""

import json
import sys
import time
from pathlib import Path

import duckdb
import pandas as pd

FLATTEN = """
WITH requests AS (
    SELECT unnest(resourceSpans) AS resource FROM read_json(
        $files, format = 'newline_delimited', maximum_object_size = 268435456,
        columns = {resourceSpans: 'STRUCT(scopeSpans STRUCT(spans STRUCT(
            traceId VARCHAR, spanId VARCHAR, parentSpanId VARCHAR, name VARCHAR,
            startTimeUnixNano VARCHAR, endTimeUnixNano VARCHAR, status STRUCT(code VARCHAR),
            attributes STRUCT("key" VARCHAR, "value" STRUCT(
                stringValue VARCHAR, intValue VARCHAR, doubleValue DOUBLE, boolValue BOOLEAN))[])[])[])[]'})
),
spans AS (SELECT unnest(scope.spans) AS span FROM (SELECT unnest(resource.scopeSpans) AS scope FROM requests)),
flat AS (
    SELECT
        span.traceId AS trace_id, span.spanId AS span_id, span.parentSpanId AS parent_span_id, span.name AS name,
        span.startTimeUnixNano::BIGINT AS start, span.endTimeUnixNano::BIGINT - span.startTimeUnixNano::BIGINT AS ns,
        map_from_entries([{k: a.key, v: coalesce(a.value.stringValue, a.value.intValue, a.value.doubleValue::VARCHAR,
            a.value.boolValue::VARCHAR)} FOR a IN span.attributes]) AS attributes
    FROM spans
)
SELECT attributes, trace_id, span_id, parent_span_id, name, start, ns,
    attributes['gen_ai.request.model'] AS model,
    attributes['gen_ai.usage.input_tokens']::BIGINT AS input_tokens,
    attributes['gen_ai.usage.output_tokens']::BIGINT AS output_tokens
FROM flat
"""
AGGREGATE = "SELECT name, count(*), avg(ns), sum(input_tokens), sum(output_tokens) FROM spans GROUP BY name"


def with_pandas(folder: Path, out: Path) -> int:
    """Spans in `folder`'s JSON lines, flattened with `json` and pandas, written as Parquet."""
    rows: list[dict[str, object]] = []
    for file in sorted(folder.glob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                for resource in json.loads(line)["resourceSpans"]:
                    for scope in resource["scopeSpans"]:
                        rows.extend(_flat(span) for span in scope["spans"])
    spans = pd.DataFrame(rows)
    spans["ns"] = spans["end"] - spans["start"]
    spans.to_parquet(out / "spans.parquet", compression="zstd")
    spans.groupby("name").agg(n=("name", "size"), ns=("ns", "mean"), tokens=("input_tokens", "sum")).to_csv(
        out / "skills.csv"
    )
    return len(spans)


def _flat(span: dict[str, object]) -> dict[str, object]:
    attributes = {
        item["key"]: next(iter(item["value"].values()), None) if item.get("value") else None
        for item in span.get("attributes", [])
    }
    return {
        "trace_id": span["traceId"],
        "span_id": span["spanId"],
        "parent_span_id": span.get("parentSpanId"),
        "name": span["name"],
        "start": int(span["startTimeUnixNano"]),
        "end": int(span.get("endTimeUnixNano", 0)),
        "status": str(span.get("status", {}).get("code", "")),
        "model": attributes.get("gen_ai.request.model"),
        "input_tokens": float(attributes.get("gen_ai.usage.input_tokens") or "nan"),
        "output_tokens": float(attributes.get("gen_ai.usage.output_tokens") or "nan"),
        "attributes": json.dumps(attributes),
    }


def with_duckdb(folder: Path, out: Path) -> int:
    """The same in DuckDB SQL."""
    files = [str(file) for file in sorted(folder.glob("*.jsonl"))]
    con = duckdb.connect(str(out / "spans.duckdb"))
    con.execute(f"CREATE TABLE spans AS {FLATTEN}", {"files": files})
    con.execute(f"COPY ({AGGREGATE}) TO '{out / 'skills.csv'}'")
    return con.execute("SELECT count(*) FROM spans").fetchall()[0][0]


if __name__ == "__main__":
    which, source, target = sys.argv[1:]
    Path(target).mkdir(parents=True, exist_ok=True)
    started, used = time.perf_counter(), time.process_time()
    count = {"pandas": with_pandas, "duckdb": with_duckdb}[which](Path(source), Path(target))
    took = {"seconds": round(time.perf_counter() - started, 3), "cpu": round(time.process_time() - used, 3)}
    print(json.dumps({"script": which, "spans": count, **took}))
