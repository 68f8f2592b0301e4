PYTHON ?= python3
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PARTS := pimlico generators sim verif constraints hdl

export PYTHON

.PHONY: help setup demo test deep figures report lint clean

help:
	@echo "make setup   prepare .venv, and the system's packages where they are missing"
	@echo "make demo    two BitNet layers from GGUF through the RTL to an ECP5, in one table"
	@echo "make test    the tests, in $(JOBS) processes (JOBS=)"
	@echo "make deep    the tests and the long campaigns"
	@echo "make figures the drawings and plots of docs, from synthesis: an hour"
	@echo "make report  small cores of every block through all commands, on one page: half an hour"
	@echo "make lint    ruff and mypy"
	@echo "make clean   remove .venv and whatever was built here"
	@echo "PYTHON=python3.12 chooses another Python than python3."

setup: $(VENV)/.all

demo: $(VENV)/.all
	@$(BIN)/python examples/ternary_demo.py

test: $(VENV)/.dev
	@$(BIN)/pytest -n $(JOBS) --dist worksteal

deep: $(VENV)/.dev
	@$(BIN)/pytest -n $(JOBS) --dist worksteal --deep

figures: $(VENV)/.dev
	@$(BIN)/python docs/figures.py
	@$(BIN)/python docs/ternary_claims.py

report: $(VENV)/.dev
	@$(BIN)/python docs/results.py --out results
	@$(BIN)/pimlico report --out site --results results

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/mypy $(PARTS) examples

clean:
	rm -rf $(VENV) build dist out results site *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.%: pyproject.toml tools/setup.sh
	@tools/setup.sh $*
