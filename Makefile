# Two commands do all the set-up: `make demo` and `make test`.
.DEFAULT_GOAL := help
.PHONY: help setup spark demo test check lock bench attack fuzz soak soak-spark chaos pictures clean wheel audit fuzz-input walk
PORT ?= 8000
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do $$python -c "" 2>/dev/null && { echo $$python; break; }; done)
BIN := .venv/bin
# Bytecode lies in .venv and not beside the sources: without it every process compiles all it imports.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/bytecode
unexport PYTHONDONTWRITEBYTECODE

help:  ## Say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

# Written last, so that an interrupted set-up runs again. uv itself comes by pip, pinned by hash.
.venv/ready: requirements-setup.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed, and no python3 was found." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed; this is $$($(PYTHON) --version 2>&1). Name another with PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing: install it (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@echo "Installing the hash-pinned dependencies into .venv ..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-setup.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.txt
	@touch $@

setup: .venv/ready  ## Make .venv from the hash-pinned locks

spark: setup  ## Add pyspark to .venv, for tests of Spark (needs Java)
	@.ci/spark

demo: setup  ## Serve a demo registry on SQLite (PORT=8000)
	@DEBUG=1 $(BIN)/python manage.py migrate --verbosity 0
	@DEBUG=1 $(BIN)/python manage.py demo --port $(PORT)
	@DEBUG=1 WEB_CONCURRENCY=2 exec $(BIN)/gunicorn registry_project.wsgi --bind 127.0.0.1:$(PORT) --threads 4 --no-control-socket --log-level warning

test: setup  ## Run the whole suite on SQLite, then the postgresql part (ARGS="-k word" for a choice)
	@.ci/test $(ARGS)

walk: setup  ## Follow docs/operations.md from a bare machine to a lost key, command by command
	@REGISTRY_WALK=1 $(BIN)/python -m pytest -q tests/deploy/test_walk.py

wheel: setup  ## Make the package that pip installs, in dist/
	@$(BIN)/uv build --quiet --no-build-isolation --wheel --python $(BIN)/python --out-dir dist .
	@rm -rf build pump_registry.egg-info

check: setup  ## Lint, types, floors, security, migrations, deploy check
	@.ci/check

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header --no-annotate $(UPGRADE)

lock: setup  ## Make the locks anew from pyproject.toml (UPGRADE=--upgrade for newer versions)
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) -c requirements.txt --extra oidc pyproject.toml -o requirements-oidc.txt
	$(COMPILE) -c requirements-oidc.txt --extra oidc --group dev pyproject.toml -o requirements-dev.txt
	$(COMPILE) -c requirements-dev.txt --group setup -o requirements-setup.txt
	$(COMPILE) -c requirements.txt --extra spark pyproject.toml -o requirements-spark.txt
	$(COMPILE) --group audit -o requirements-audit.txt

audit: setup  ## Ask for known vulnerabilities of what is locked; needs the network
	@$(BIN)/uv venv --quiet --allow-existing .venv/audit
	@$(BIN)/uv pip sync --quiet --python .venv/audit/bin/python --require-hashes requirements-audit.txt
	@.venv/audit/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.txt -r requirements-oidc.txt -r requirements-spark.txt

bench: setup  ## Compare statistics with the ORM and numpy; quick (BENCH="--events 1000000" is not)
	@$(BIN)/python -m tests.benchmarks.bench_statistics $(BENCH)

bench-pages: setup  ## Measure the pages of entry at 10,000 and a million events (BENCH="--events 100000")
	@$(BIN)/python -m tests.benchmarks.bench_pages $(BENCH)

bench-engines: spark  ## Compare DuckDB and a Spark cluster of this machine (BENCH="--events 200000 --times 5")
	@DEBUG=1 $(BIN)/python -m tests.benchmarks.bench_engines $(BENCH)

bench-%: setup
	@DEBUG=1 $(BIN)/python tests/benchmarks/bench_$*.py $(BENCH)

attack: setup  ## Attack the protection, persons and cells; hours (ATTACK="--only persons --people 800")
	@$(BIN)/python -m tests.disclosure.attack $(ATTACK)

fuzz: setup  ## Ask the API what its schema allows, 100 examples an operation (EXAMPLES=1000)
	@REGISTRY_FUZZ_EXAMPLES=$(or $(EXAMPLES),100) $(BIN)/python -m pytest -q -n 0 -o faulthandler_timeout=0 tests/api/test_contract.py

# Numbers, curves and the truths behind protected answers: ten kinds of question of each registry.
fuzz-input: setup  ## Send 100,000 bad rows, bodies, bundles, files and query strings (PIECES=1000)
	@REGISTRY_BAD_INPUT=$(or $(PIECES),100000) $(BIN)/python -m pytest -q -n 0 -o faulthandler_timeout=0 tests/api/test_bad_input.py

soak: setup  ## Hold 20,000 random questions against plain loops; hours (SEEDS=20 QUESTIONS=100)
	@REGISTRY_ORACLE_SEEDS=$(or $(SEEDS),20) REGISTRY_ORACLE_QUESTIONS=$(or $(QUESTIONS),100) \
	  $(BIN)/python -m pytest -q -n 0 -o faulthandler_timeout=0 tests/reporting/test_oracle.py tests/reporting/test_oracle_curves.py tests/reporting/test_oracle_truths.py

soak-spark: spark  ## Ask a Spark cluster on this machine more random questions (SEEDS=3 QUESTIONS=20)
	@REGISTRY_SPARK_SEEDS=$(or $(SEEDS),3) REGISTRY_SPARK_QUESTIONS=$(or $(QUESTIONS),20) \
	  $(BIN)/python -m pytest -q -n 0 -o faulthandler_timeout=0 tests/snapshot/test_spark.py

chaos: setup  ## Kill commands and servers at 100 random moments each; hours (CHAOS="--kills 10 --seconds 10")
	@$(BIN)/python -m tests.chaos $(CHAOS)

pictures: setup  ## Take the pictures of docs/entering-events.md anew (needs Chromium)
	@$(BIN)/python -m tests.browser.docs_pictures

clean:  ## Remove the environment and everything made by it
	rm -rf .venv var dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
