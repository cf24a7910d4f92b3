# Every target explains itself: the text behind ## is what `make help` prints.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
VENV ?= .venv
# One more than cores: many tests wait for a server or a time limit.
WORKERS ?= 3
BIN := $(VENV)/bin
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
endif
STAMP := $(VENV)/.installed

.PHONY: help
help: ## Print this help
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

$(STAMP): pyproject.toml requirements/dev.txt
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup
setup: $(STAMP) ## Make a virtual environment with the product and its tools, every package by its hash

# `make lock-requirements LOCK_ARGS=--upgrade` takes newer releases, too.
LOCK := $(BIN)/python -m uv pip compile --quiet --universal --generate-hashes --python-version 3.10 \
	--no-emit-index-url --custom-compile-command 'make lock-requirements' $(LOCK_ARGS)

.PHONY: lock-requirements
lock-requirements: ## Resolve pyproject.toml into requirements/*.txt, for every system and Python, with hashes
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet uv
	@$(LOCK) pyproject.toml --output-file requirements/runtime.txt
	@$(LOCK) pyproject.toml --extra dev --constraint requirements/runtime.txt --output-file requirements/dev.txt
	@$(LOCK) --group fuzz --output-file requirements/fuzz.txt

.PHONY: demo
demo: $(STAMP) ## Show the whole path: lab, definition, lock, build, verify, inspect, dry run
	@$(BIN)/python tools/demo.py demo

.PHONY: check
check: lint-code ## Lint, types and unit tests: for daily work, under two minutes
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m unit $(PYTEST_ARGS)

.PHONY: test
test: $(STAMP) ## Pass all tests (PYTEST_ARGS adds to pytest's own)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

.PHONY: thorough
thorough: $(STAMP) ## Pass all tests with every point, byte and moment that `test` takes samples of, and fuzz (two hours)
	ARC_BUNDLER_THOROUGH=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)
	$(MAKE) fuzz FUZZ_SECONDS=3600

# Seconds for all targets together. FUZZ_TARGET picks one; FUZZ_INPUT is an input that failed, to give it to that target
# again.
FUZZ_SECONDS ?= 120
FUZZ_TARGET ?=
FUZZ_INPUT ?=
FUZZ_STAMP := $(VENV)/.fuzz-installed

# Where the Python has no wheel of atheris, this fails: a run that tests nothing must not pass.
$(FUZZ_STAMP): $(STAMP) requirements/fuzz.txt
	@$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: --requirement requirements/fuzz.txt
	@touch $@

.PHONY: fuzz
fuzz: $(if $(FUZZ_INPUT),$(STAMP),$(FUZZ_STAMP)) ## Fuzz every parser (CPython 3.11 to 3.14, Linux), FUZZ_SECONDS in all
	$(BIN)/python -m tests.fuzz.run --seconds $(FUZZ_SECONDS) $(if $(FUZZ_TARGET),--target $(FUZZ_TARGET)) $(if $(FUZZ_INPUT),--input $(FUZZ_INPUT))
	$(if $(FUZZ_TARGET),,$(BIN)/python -m tests.fuzz.prove)

.PHONY: lint
lint: lint-code ## Check style, types, words, the architecture and every rendered script
	$(BIN)/python -m tests.lint_scripts

# What reads code alone: seconds.
.PHONY: lint-code
lint-code: $(STAMP)
	$(BIN)/ruff check bundler tests tools
	$(BIN)/ruff format --check bundler tests tools
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/words.py

.PHONY: format
format: $(STAMP) ## Put the code into its one format
	$(BIN)/ruff check --fix-only bundler tests tools
	$(BIN)/ruff format bundler tests tools

.PHONY: docs
docs: $(STAMP) ## Write what is made from tables (docs/codes.md, parts of the runtimes), and the project's addresses into pages
	@$(BIN)/python tools/codes_page.py
	@$(BIN)/python tools/secret_forms.py
	@$(BIN)/python tools/project_links.py

.PHONY: facts
facts: $(STAMP) ## Compare the tables of facts with DOCS=FOLDER, a copy of Microsoft's documents, and name each row that differs
	@test -n "$(DOCS)" || { echo "make facts DOCS=FOLDER: a copy of MicrosoftDocs/azure-management-docs or azure-docs" >&2; exit 2; }
	@$(BIN)/python tools/facts.py "$(DOCS)"

.PHONY: runtimes
runtimes: $(STAMP) ## Write the release's rows into bundler/data/runtimes.json, and print them for CHANGELOG.md
	@$(BIN)/python tools/runtimes.py

.PHONY: transcript
transcript: $(STAMP) ## Run the real path with the lab and write docs/transcripts (needs root, debootstrap, iproute2)
	@$(BIN)/python tools/transcript.py

.PHONY: bench
bench: $(STAMP) ## Measure the README's ratios (needs osslsigncode, 7zz and curl: apt-get install osslsigncode 7zip curl)
	@$(BIN)/python tools/bench.py

.PHONY: screenshots
screenshots: $(STAMP) ## Take the review page's pictures in docs/images (needs chromium: apt-get install chromium)
	@ARC_BUNDLER_SCREENSHOTS=docs/images $(BIN)/python -m pytest -q tests/review -k pictures

.PHONY: package
package: $(STAMP) ## Build the wheel that works when installed elsewhere
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .

.PHONY: clean
clean: ## Remove what was generated, the virtual environment included
	rm -rf $(VENV) build dist demo .lab .mypy_cache .ruff_cache .pytest_cache .hypothesis
