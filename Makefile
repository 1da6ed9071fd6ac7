# make run   set up what is missing, judge the embedded reference platform, build the report
# make test  set up what is missing, then linters, type checker and tests
# make setup set up only; a second call finds everything done

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
NODE   := .ci/node

# Where this is set, every process compiles all of Ringtrue again, and a run starts several.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test setup lock clean

run: setup
	@$(BIN)/ringtrue run; code=$$?; \
	if [ -x $(BIN)/allure ]; then $(BIN)/ringtrue report || exit 3; fi; exit $$code

test: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/python -m pytest -n 2 --dist worksteal

setup: $(READY)/python $(READY)/sipp $(READY)/node

$(READY)/python: requirements.lock pyproject.toml
	@echo "setup: Python packages into $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --editable .
	@$(BIN)/python -m compileall -q harness
	@mkdir -p $(READY) && touch $@

# SIPp drives the SIP side. Without it everything else still runs, and the SIP clauses are inconclusive.
$(READY)/sipp:
	@mkdir -p $(READY)
	@.ci/install-sipp && touch $@ || true

# The Allure command builds the report, redocly checks the specs. Without Node both are left out.
$(READY)/node: $(NODE)/package-lock.json | $(READY)/python
	@.ci/install-node-tools $(NODE) $(BIN) && touch $@ || true

lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-header --no-annotate --quiet --output-file requirements.lock
	cd $(NODE) && npm install --package-lock-only --silent

clean:
	rm -rf $(VENV) $(NODE)/node_modules .mypy_cache .ruff_cache
