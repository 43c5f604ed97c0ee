# The commands of the project. Everything runs as any user and changes nothing outside this folder.
#
#   make run         the hotline: set-up, Asterisk and the backend under one supervisor; Ctrl-C stops it
#   make demo        the same with simulated citizens and agents
#   make stop        stops a hotline that runs from this folder (or from HOTLINE_HOME)
#   make doctor      checks every part and places a test call
#   make test        set-up for testing, lint, then every tier of tests
#   make lint        style, types, layering
#   make bench-NAME  one measurement (tests/bench/NAME.py); make bench runs all
#   make drill-NAME  one fault drill (tests/drills/NAME.py); make drill runs all
#
# PYTHON=/path/to/python3.12 chooses the interpreter that .venv is made with; PYTEST="-k words -x" narrows the tests.

# A distribution builds its Python with profiles of how it is used; one that was compiled on the machine mostly is not,
# and takes half as long again for everything. So the distribution's goes first if it is new enough.
PYTHON ?= $(shell /usr/bin/python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
            && echo /usr/bin/python3 || echo python3)
PYTEST ?=
BIN := .venv/bin
PACKAGES := ivr agi_scripts acd cti_bridge asterisk_conf recordings app

.DEFAULT_GOAL := help
CHECKS := lint-types lint-style lint-layers lint-pages
# Checks that know nothing of each other, two at a time; each one's words stay together.
BESIDE := $(MAKE) --no-print-directory --jobs=2 --output-sync=target
.PHONY: help run demo stop doctor setup setup-test test tests pages-test lint $(CHECKS) bench drill clean

help:
	@sed -n '3,/^$$/s/^# \{0,1\}//p' Makefile

setup:
	@$(PYTHON) scripts/setup run

setup-test:
	@$(PYTHON) scripts/setup test

run: setup
	@exec $(BIN)/hotline up

demo: setup
	@exec $(BIN)/hotline demo

stop:
	@exec $(BIN)/hotline stop

doctor: setup
	@exec $(BIN)/hotline doctor

test: setup-test
	+@$(BESIDE) $(CHECKS) pages-test
	@$(MAKE) --no-print-directory tests

pages-test:
	@if [ -e app/frontend/package.json ]; then cd app/frontend && ../../.telephony/bin/npm test --silent; fi

tests:
	@$(BIN)/python scripts/tests $(PYTEST)

lint:
	+@$(BESIDE) $(CHECKS)

lint-types:
	$(BIN)/mypy $(PACKAGES) scripts/toolchain scripts/lanes

lint-style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-layers:
	$(BIN)/lint-imports

lint-pages:
	@if [ -e app/frontend/package.json ]; then cd app/frontend && ../../.telephony/bin/npm run --silent check; fi

# A bench or drill is a module that prints its table and, last, one line of JSON; its exit status says whether it met
# its goals. A name with dashes is a module with underscores.
bench-%: setup-test
	@$(BIN)/python scripts/measure bench $*

drill-%: setup-test
	@$(BIN)/python scripts/measure drills $*

bench: setup-test
	@$(BIN)/python scripts/measure bench

drill: setup-test
	@$(BIN)/python scripts/measure drills

clean:
	rm -rf .venv .telephony app/frontend/node_modules app/frontend/dist .mypy_cache .ruff_cache .pytest_cache
