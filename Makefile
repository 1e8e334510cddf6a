# make run    set this machine up, run the main job, stay up until Ctrl-C (ARGS=--exit: leave after the job)
# make test   set this machine up, run the whole test suite (ARGS=... are pytest's)
# make chaos  the slow tests of what must be outlived: kills, cut networks, full disks, dead heads (ARGS=... are pytest's)
# make lock   pin every package of every extra anew in requirements.lock (ARGS=--upgrade: newer versions)
# make generated  write the generated files: the blocking client, openapi.json, the page's types and recorded streams
# make soak   20 minutes of mixed load and random kills (ARGS="--minutes 3"); writes tests/benchmarks/results/soak.md
# make hostile         every hostile program on every tier of this machine, gVisor's too, and the engine's restarts
# make sandbox-images  build the sandbox images that are not up to date
# make gvisor          install gVisor and register it with the Docker engine (Debian, as root)
.PHONY: run test chaos soak hostile sandbox-images gvisor setup check generated lock

PYTHON ?= python3
BIN := .venv/bin

run: setup
	@exec $(BIN)/python -m cluster run $(ARGS)

test:
	@$(PYTHON) cluster/setup.py test
	@$(BIN)/python -m pytest -n 2 --dist loadscope $(ARGS)

chaos:
	@$(PYTHON) cluster/setup.py test
	@$(BIN)/python -m pytest tests/chaos -m chaos $(ARGS)

soak:
	@$(PYTHON) cluster/setup.py test
	@$(BIN)/python -m tests.chaos.soak $(ARGS)

setup:
	@$(PYTHON) cluster/setup.py run

check:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

generated:
	$(BIN)/python rlplatform/client/generate.py
	$(BIN)/python -m serve_apps.api
	npm --prefix serve_apps/web run --silent types
	$(BIN)/python -m tests.e2e.recordings
	$(BIN)/python -m cluster.prometheus_rule

hostile:
	@$(PYTHON) cluster/setup.py test
	@$(BIN)/python -m pytest tests/security tests/contract -m docker $(ARGS)

sandbox-images:
	$(BIN)/rlp sandbox build

gvisor:
	@$(PYTHON) cluster/setup.py gvisor

lock:
	$(BIN)/uv pip compile pyproject.toml --all-extras --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
	    --no-annotate --custom-compile-command 'make lock' --quiet --output-file requirements.lock $(ARGS)
