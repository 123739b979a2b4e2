# Polylip. `make` alone explains itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# The user's own clip: make demo CLIP="my clip.mp4" TARGET=es OUT="out/my clip"
CLIP ?=
TARGET ?= es
OUT ?= out/demo
# One group of measurements: make bench ONLY=lips
ONLY ?=
# Recipes read these from the environment ("$$CLIP"), so that blanks and quotes in a name do no harm.
export CLIP TARGET OUT ONLY
# Processes that share the tests, each with servers of its own: make test WORKERS=4
WORKERS ?= 2

BIN := .venv/bin

.PHONY: help setup setup-export setup-test demo serve down test check bench sample clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what a run needs (apt packages, two virtual environments); quick when nothing changed
	@deploy/setup.sh run

setup-export: ## Install also what `polylip models export` needs (PyTorch: large)
	@deploy/setup.sh export

setup-test:
	@deploy/setup.sh test

demo: setup ## Dub the sample clip, or CLIP=path, into TARGET=es; results go to OUT=out/demo
	@$(BIN)/polylip demo $${CLIP:+--clip "$$CLIP"} --to "$$TARGET" --out "$$OUT"

serve: setup ## Run the whole stack in the foreground until Ctrl-C
	@$(BIN)/python -m deploy.stack serve

down: ## Stop everything that `make demo` or `make serve` left running
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m deploy.stack down; fi

test: setup-test ## Run every test
	@$(BIN)/pytest -n $(WORKERS)

check: setup-test ## Check format, lint, types, and the files of deploy/
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m deploy.check

bench: setup-test ## Measure; writes out/bench/results.json (one group: ONLY=lips)
	@$(BIN)/python -m tests.benchmarks $${ONLY:+--only "$$ONLY"}

sample: setup ## Make the sample clip anew (samples/README.md)
	@$(BIN)/python samples/make_sample.py

clean: down ## Remove environments, caches, logs and the stack's data; keeps out/
	@rm -rf .venv .venv-triton .run build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
