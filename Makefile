# The commands of Linkly. `make` alone prints them.

PYTHON ?= python3
STAGE ?= dev
export PIP_DISABLE_PIP_VERSION_CHECK = 1

python := .venv/bin/python
ready := .venv/ready .venv-aws/ready

.PHONY: help
help: ## Print these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-9s %s\n' "$$name" "$$text"; done

.PHONY: run
run: $(ready) ## Run everything on this machine: the emulated AWS, the real template, HTTP on port 8000 (PORT=)
	@exec $(python) -m ops run

.PHONY: dev
dev: $(ready) ## The same, and take over each edit of the code within seconds
	@exec $(python) -m ops run --watch

.PHONY: demo
demo: .venv/ready ## Fill what `make run` runs with believable links, and clicks of the last 89 days
	@$(python) -m ops demo

.PHONY: reset
reset: ## Forget what `make run` stored
	@rm -rf .local && echo "The local stack starts empty the next time."

# What only computes comes first, and has the machine for itself. End-to-end and browser tests wait more than they compute,
# so they run side by side. Each prints what it has to say when it ends; with the make of macOS, whenever it likes.
side_by_side := $(MAKE) --no-print-directory --jobs $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.PHONY: test
test: $(ready) ## Run every test: unit, functional, properties, infra, e2e, browser; each suite reports when it ends
	@$(MAKE) --no-print-directory test-here
	@echo "Running end-to-end and browser tests side by side; each reports when it ends, after some minutes"
	@$(side_by_side) test-e2e test-browser

.PHONY: test-here
test-here: $(ready)
	@printf '\n== unit, functional, property and infra tests\n'
	@$(python) -m pytest --numprocesses 2 tests/unit tests/functional tests/properties tests/infra

.PHONY: test-e2e
test-e2e: $(ready)
	@printf '\n== e2e tests, four files at a time, each on an emulated AWS of its own\n'
	@$(python) -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder tests/e2e

.PHONY: test-browser
test-browser: $(ready)
	@printf '\n== browser tests, in a real Chromium\n'
	@$(python) -m pytest tests/browser

.PHONY: chaos
chaos: $(ready) ## Break the deployed stack's calls while it counts 10,000 clicks on 50 links
	@CHAOS_CLICKS=10000 CHAOS_LINKS=50 $(python) -m pytest tests/e2e/test_chaos.py

.PHONY: bench
bench: $(ready) ## Measure redirects, cold starts, the recorder, the local stack and how well visitors are told apart
	@$(python) -m bench

.PHONY: load
load: .venv/ready ## Follow a link at a RATE (5 a second) for SECONDS (20) at URL with KEY, and see each click counted
	@$(python) -m ops load

.PHONY: check
check: $(ready) ## Lint, type-check and test: what CI runs
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/lint-imports
	.venv/bin/mypy
	@$(MAKE) --no-print-directory test

.PHONY: deploy
deploy: .venv/ready ## Deploy to AWS as STAGE (dev), with the credentials and region of your environment, and try it
	@$(python) -m ops deploy --stage $(STAGE) $(ARGS)

.PHONY: destroy
destroy: .venv/ready ## Delete the stack of STAGE; its tables stay, and while clicks wait it refuses
	@$(python) -m ops destroy --stage $(STAGE) $(ARGS)

.PHONY: logs
logs: .venv/ready ## Tail the logs of STAGE; of one FUNCTION=, with a text in it FILTER=, from SINCE= (2h) on
	@$(python) -m ops logs --stage $(STAGE) \
		$${FUNCTION:+--function "$$FUNCTION"} $${FILTER:+--filter "$$FILTER"} $${SINCE:+--since "$$SINCE"}

.venv/ready: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Linkly needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}. Try: make PYTHON=python3.12")'
	@echo "Installing what runs, builds and tests Linkly into .venv: 880 MB, about a minute and a half"
	@$(PYTHON) -m venv .venv
	@$(python) -m pip install --quiet --requirement requirements-dev.txt
	@echo "Downloading what ships with it into .venv/wheels: 3 MB, some seconds"
	@# Packaging takes the wheels from here, so that it needs no network.
	@$(python) -m pip download --quiet --requirement requirements.txt --dest .venv/wheels
	@touch $@

# An environment of its own: what is installed here, the emulated Lambda functions see, as they see boto3 in AWS.
.venv-aws/ready: requirements-aws.txt .venv/ready
	@echo "Installing the emulated AWS into .venv-aws: 110 MB, about twenty seconds"
	@$(python) -m venv .venv-aws
	@.venv-aws/bin/python -m pip install --quiet --requirement requirements-aws.txt
	@touch $@
