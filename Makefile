# The targets of the course. 'make' alone lists them.

PYTHON ?= python3.11
BIN := .venv/bin
INSTALLED := .venv/.installed
MODULES ?= 08_optimizers 10_modern_optimizers
STUDENTS ?= 200
DEMO ?= build/demo

.DEFAULT_GOAL := help
.PHONY: help setup demo check test system test-pythons lint export release pictures docs bench bench-grading lock clean

help:  ## List the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | \
		while IFS='|' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

$(INSTALLED): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) not found; install Python 3.11 or name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	PIP_CONSTRAINT=constraints.txt $(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev,docs,parallel,cluster,postgresql,compiled]'
	@touch $@

setup: $(INSTALLED)  ## Make .venv/ with everything in it.

define grade_a_class
$(TITO) release $(1)
$(BIN)/python -m tests.submissions $(DEMO) $(1)
@# One file of the sample class is broken on purpose: grading names it and exits with 1.
$(TITO) grade $(1) || [ $$? -eq 1 ]
$(TITO) feedback $(1)
$(TITO) overview $(1)
$(TITO) scores $(1)

endef

demo: TITO := cd $(DEMO) && $(abspath $(BIN))/tito
demo: $(INSTALLED)  ## Export, release, grade sample classes and show their marks, in build/demo/, begun anew.
	rm -rf $(DEMO)
	$(BIN)/python -m tests.submissions.course $(DEMO)
	$(TITO) export --all
	$(foreach module,$(MODULES),$(call grade_a_class,$(module)))
	$(TITO) status

test: lint system  ## Run every test (lint first).
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

check: lint  ## Check style and types, and run the tests of what has changed, in less than a minute.
	$(BIN)/python -m tests.check

system:  ## Install Debian's Chromium and PostgreSQL for the tests, as root; without, they are skipped.
	@missing="$$(command -v chromium >/dev/null || echo chromium) \
		$$(ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || echo postgresql)"; \
	if [ -z "$$(echo $$missing)" ]; then exit 0; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
			apt-get -qq install --yes --no-install-recommends $$missing >/dev/null; \
	else echo "make: not installed:" $$missing "(its tests will be skipped)" >&2; fi

test-pythons: $(INSTALLED)  ## Install and test under Python 3.11 to 3.14, where the machine has them.
	$(BIN)/python -m tests.pythons

lint: $(INSTALLED)  ## Check style, types and the rules of the sources.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check tinytorch/checks tinytorch/parallel tinytorch/profiling tito tinytorch/*.py tests benchmarks
	$(BIN)/mypy
	$(BIN)/tito lint

export: $(INSTALLED)  ## Make tinytorch/core/ from the sources.
	$(BIN)/tito export --all

release: $(INSTALLED)  ## Make the students' notebooks.
	for module in $(MODULES); do $(BIN)/tito release $$module || exit; done

pictures: demo  ## Make the pictures of the README, from the demo, in Chromium.
	$(BIN)/python docs/pictures.py $(DEMO)

docs: $(INSTALLED)  ## Build the documentation site in build/site/.
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet --doctree-dir build/doctrees docs build/site

bench: $(INSTALLED)  ## Time the optimizers against PyTorch's (installs the extra 'torch'), and tito test.
	PIP_CONSTRAINT=constraints.txt $(BIN)/pip install --quiet --disable-pip-version-check --editable '.[torch]'
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.student

bench-grading: $(INSTALLED)  ## Time grading against nbgrader's and, with BEFORE=CHECKOUT, an earlier build's; as root.
	$(BIN)/python -m benchmarks.grading --students $(STUDENTS) $(if $(BEFORE),--before $(BEFORE))
	$(BIN)/python -m benchmarks.grading.watch

lock: $(INSTALLED)  ## Pin what is installed now in constraints.txt; pins of absent extras stay.
	@$(BIN)/pip freeze --exclude-editable | cat - constraints.txt | grep '==' | \
		sort --stable --unique --ignore-case --field-separator== --key=1,1 > constraints.new
	@mv constraints.new constraints.txt

clean:  ## Remove .venv/ and build/ (never a class's files).
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .hypothesis
