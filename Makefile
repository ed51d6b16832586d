# Needs Python 3.11+, make, and the package registries.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo up test lint bench simulate docs pictures

help:  ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: .venv/.ready  ## the locked environment, in .venv

SYNC = test -x $(BIN)/python || $(PYTHON) -m venv .venv; \
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv; \
	$(BIN)/uv sync --frozen --inexact --compile-bytecode --extra otel

.venv/.ready: uv.lock pyproject.toml
	$(SYNC)
	touch $@

# What developing needs beside: three times as many packages.
.venv/.ready-test: uv.lock pyproject.toml
	$(SYNC) --extra test
	touch .venv/.ready $@

# DuckDB 2, which is allowed too, beside the locked one: whatever computes has to find the same with either.
NEXT_DUCKDB := .venv/duckdb-2
COMPUTING := lake/test_session.py runs examples observations scores candidates decisions snapshots

$(NEXT_DUCKDB)/.ready: .venv/.ready-test
	$(BIN)/uv pip install --no-config --quiet --python $(BIN)/python --target $(NEXT_DUCKDB) --no-deps duckdb==2.0.0
	touch $@

demo: setup  ## a simulated fleet, the whole wheel, and a page worth looking at
	$(BIN)/flywheel demo

up: setup  ## the receiver and Dagster on this machine, until Ctrl-C
	$(BIN)/flywheel up

lint: .venv/.ready-test  ## format, linters, types, import contracts, and whether Dagster loads the graph
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/dagster definitions validate -w workspace.yaml

test: lint $(NEXT_DUCKDB)/.ready  ## everything: lint, all tests with warnings as errors and coverage, and what computes with DuckDB 2
	$(BIN)/pytest -n 2 --dist loadfile --cov --cov-report=term-missing:skip-covered
	PYTHONPATH=$(CURDIR)/$(NEXT_DUCKDB) $(BIN)/pytest -n 2 --dist loadfile $(COMPUTING:%=flywheel_assets_tests/%)

bench: .venv/.ready-test  ## spans per second, beside scripts that only flatten and aggregate
	$(BIN)/python flywheel_assets_tests/benchmarks/run.py
	$(BIN)/python -m flywheel_assets_tests.benchmarks.scores

simulate: .venv/.ready-test  ## error rates, power and coverage of the code that decides, in made-up worlds: minutes
	$(BIN)/python -m flywheel_assets.simulations

pictures: .venv/.ready-test  ## the pictures in docs/images of the UI, the report and the desk, from a demo: minutes, and Chromium
	$(BIN)/python -m flywheel_assets_tests.benchmarks.pictures

docs: .venv/.ready-test  ## the pages in docs/ as a site, in site/
	$(BIN)/zensical build --strict
