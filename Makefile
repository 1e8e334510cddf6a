# make run    set this machine up, run the main job, stay up until Ctrl-C (ARGS=--exit: leave after the job)
# make test   set this machine up, run the whole test suite (ARGS=... are pytest's)
# make chaos  the slow tests of what must be outlived: kills, cut networks, full disks, dead heads (ARGS=... are pytest's)
# make soak   20 minutes of mixed load and random kills (ARGS="--minutes 3"); writes tests/benchmarks/results/soak.md
.PHONY: run test chaos soak setup check lock

PYTHON ?= python3
BIN := .venv/bin

run: setup
	@exec $(BIN)/python -m cluster run $(ARGS)

test:
	@$(PYTHON) cluster/setup.py test
	@$(BIN)/python -m pytest $(ARGS)

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

lock:
	$(PYTHON) cluster/lock.py
