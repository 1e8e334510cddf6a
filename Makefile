# make run    set this machine up, run the main job, stay up until Ctrl-C (ARGS=--exit: leave after the job)
# make test   set this machine up, run the whole test suite (ARGS=... are pytest's)
.PHONY: run test setup check lock

PYTHON ?= python3
BIN := .venv/bin

run: setup
	@exec $(BIN)/python -m cluster run $(ARGS)

test:
	@$(PYTHON) cluster/setup.py test
	@$(BIN)/python -m pytest $(ARGS)

setup:
	@$(PYTHON) cluster/setup.py run

check:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

lock:
	$(PYTHON) cluster/lock.py
