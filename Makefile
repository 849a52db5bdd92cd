# The workflow. Every target makes what it needs: a virtual environment in .venv and the dependencies.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
HARD := $(addprefix tests/end_to_end/test_,$(addsuffix .py,cluster_crashes cluster_sdk cluster_trials crashes \
	exporters history idempotency integrity membership network_faults))

.DEFAULT_GOAL := help
.PHONY: help demo cluster check format lint types unit nodes test sim judge bench clean

help:  ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(STAMP)  ## Run the order example on a durable node: retries, incidents, a crash, the audit trail
	$(BIN)/python -m examples.demo

cluster: $(STAMP)  ## Three nodes, orders, a kill of one that leads; ARGS=--stay keeps them running
	$(BIN)/python -m examples.cluster $(ARGS)

format: $(STAMP)  ## Format the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix-only --quiet

lint: $(STAMP)
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check

types: $(STAMP)
	$(BIN)/basedpyright --level error & checking=$$!; $(BIN)/mypy && wait $$checking

unit: $(STAMP)
	$(BIN)/pytest -q -rs --durations=10 -n 2 -m 'not end_to_end'

check: lint types unit  ## Format, lint, types, all tests that start no node: some four minutes

test: lint types $(STAMP)  ## Everything that has to pass: some eight minutes on two cores
	nice -n 5 $(MAKE) --no-print-directory unit >$(VENV)/unit.txt 2>&1 & unit=$$!; \
	$(MAKE) --no-print-directory nodes; nodes=$$?; \
	wait $$unit; unit=$$?; cat $(VENV)/unit.txt; exit $$((unit | nodes))  # Nodes leave half of the time to others.

nodes: $(STAMP)  # Clusters and whatever else is hard on nodes in one process, single nodes and Zeebe in another.
	$(BIN)/pytest -q -rs --durations=10 -m end_to_end $(HARD:%=--ignore=%) >$(VENV)/others.txt 2>&1 & others=$$!; \
	$(BIN)/pytest -q -rs --durations=10 -m end_to_end $(HARD); clusters=$$?; \
	wait $$others; others=$$?; cat $(VENV)/others.txt; exit $$((clusters | others))

sim: $(STAMP)  ## Simulate clusters under faults: SEEDS=n, FIRST=n, ARGS='--faults=… -v'; docs/simulation.md
	$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),200) --first $(or $(FIRST),0) $(ARGS)

judge: $(STAMP)  ## What takes longer: 150 kill rounds, failing networks and machines, all of Zeebe; an hour
	BPMND_JUDGE=1 $(BIN)/pytest -q -rs tests/end_to_end tests/differential tests/simulation tests/test_demo.py tests/bpmn/test_spoilt_files.py \
		tests/bpmn/test_other_ids.py \
		tests/actors/exporters/test_random_delivery.py tests/actors/exporters/test_worker.py \
		tests/bpmn/test_partitions.py tests/bpmn/test_random_life.py tests/bpmn/test_random_models.py

bench: $(STAMP)  ## Measure throughput, latency, memory, clusters; ARGS="--zeebe PATH" runs Zeebe beside them
	$(BIN)/python -m benchmarks.run $(ARGS)

clean:  ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
