# Two commands on a fresh machine (Python 3.10+ and make): `make demo` and `make test`. Each makes what it needs.
# `make demo ARGS=--json` and `make test ARGS="-k sampler"` pass arguments on.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
# How many processes run tests side by side: `auto` is two for each core.
JOBS ?= auto
CACHE ?= $(HOME)/.cache/otel-posthog

# Tests start some hundred programs: compiled once, also where the machine's environment says not to, each starts a second
# earlier. Not beside the sources, which stay as they are.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(abspath $(VENV))/pycache

.PHONY: demo test pytest versions lint format bench fuzz screenshots policy dashboards site site-serve collector lock clean help

help: ## Show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.ready ## Run the helpdesk example and show what went where
	@$(BIN)/otel-posthog demo $(ARGS)

test: $(VENV)/.ready lint tests ## Run the linters, the type checker and every test

# Tests wait as long as they work, so they run side by side; those that measure time, or take the whole machine, come last,
# with nothing beside them. Status 5 is that of no test: `-k` may ask for tests of one of the two kinds only. Status 1 is
# that of failed tests; CI runs a few of them once more.
AGAIN = { [ $$status -eq 1 ] && [ "$(CI)" = true ] && .ci/again $(BIN)/python; }
.PHONY: tests
tests: $(VENV)/.ready
	@failed=0; \
	$(BIN)/python -m pytest -n $(JOBS) --dist loadscope --no-loadscope-reorder -m "not alone and not backends" $(ARGS) || \
	  { status=$$?; [ $$status -eq 5 ] || $(AGAIN) || failed=1; }; \
	$(BIN)/python -m pytest -m "alone and not backends" $(ARGS) || { status=$$?; [ $$status -eq 5 ] || $(AGAIN) || failed=1; }; \
	exit $$failed

.PHONY: test-backends
test-backends: $(VENV)/.ready ## Run the whole way with a real Prometheus and Jaeger; the first time builds them, ten minutes
	$(BIN)/python -m pytest -m backends -o faulthandler_timeout=3600 tests/backends $(ARGS)

pytest: $(VENV)/.ready
	$(BIN)/python -m pytest $(ARGS)

# What depends on the versions of Python and OpenTelemetry; `make versions TESTS=tests` runs all.
TESTS ?= tests/bridge tests/instrumentation tests/setup tests/intake tests/operational tests/pipeline \
  tests/setups/test_setups_sdk.py $(foreach name,blocks harmless ids,tests/journeys/test_journeys_$(name).py) \
  tests/zero_code/test_zero_code_entry_points.py tests/zero_code/test_zero_code_integrations.py tests/zero_code/test_zero_code_separation.py
PYTHONS ?= 3.10 3.11 3.12 3.13 3.14
CONTRIB = distro $(addprefix instrumentation-,asgi celery dbapi django fastapi flask httpx logging requests sqlite3 starlette threading wsgi)
OLDEST = $(foreach name,api sdk exporter-otlp,opentelemetry-$(name)==1.41.0) \
  $(foreach name,$(CONTRIB),opentelemetry-$(name)==0.62b0) posthog==7.0.0 $(FRAMEWORKS)
# As docs/frameworks.md has them; what they need themselves is as old.
FRAMEWORKS = celery==5.3.0 django==4.2 django-allauth==65.0.0 djangorestframework==3.15.0 fastapi==0.115.3 flask==2.3.0 \
  flask-login==0.6.2 rq==2.0.0 starlette==0.40.0 werkzeug==2.3.0
# Parts of later versions, which the oldest does not know.
LATER = opentelemetry-configuration opentelemetry-exporter-http-transport opentelemetry-exporter-otlp-common

versions: ## Run what depends on versions on every other Python there is, and on the oldest of what it works with
	@for version in $(PYTHONS); do \
	  [ "$$version" != "$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')" ] || continue; \
	  python=$$(.ci/find-python $$version) || { echo "== Python $$version is not on this machine: left out"; continue; }; \
	  echo "== Python $$version"; \
	  $(MAKE) --no-print-directory ourselves tests VENV=$(CACHE)/venv-$$version PYTHON=$$python ARGS="-q $(TESTS) $(ARGS)" || exit 1; \
	done
	@echo "== the oldest OpenTelemetry, posthog-python and frameworks"
	@$(MAKE) --no-print-directory oldest VENV=$(CACHE)/venv-oldest ARGS="-q $(TESTS) $(ARGS)"

# Those environments outlive a checkout: what is tested is this one.
.PHONY: ourselves
ourselves: $(VENV)/.ready
	@$(INSTALL_UV) $(OURSELVES) || $(INSTALL_PIP) $(OURSELVES)

.PHONY: oldest
oldest: ourselves
	@$(INSTALL_UV) $(OLDEST) || $(INSTALL_PIP) $(OLDEST)
	@$(BIN)/python -m pip uninstall --quiet --yes $(LATER) 2>/dev/null
	@$(MAKE) --no-print-directory tests

lint: $(VENV)/.ready ## Run ruff, mypy and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready ## Format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.ready ## Run the benchmarks
	$(BIN)/python -m benchmarks $(ARGS)

policy: $(VENV)/.ready ## Renew what is made of the policy and the usual events: schema, overloads, pages of docs/, collector-config/
	$(BIN)/python -m otel_posthog.policy.reference docs/policy-reference.md
	$(BIN)/python -m otel_posthog.policy.derive_reference docs/derive.md
	$(BIN)/python -m otel_posthog.events.generate docs/events.md
	$(BIN)/python -m otel_posthog.privacy.reference docs/privacy.md
	$(BIN)/python -m otel_posthog.apps.doctor.reference docs/troubleshooting.md
	$(BIN)/python -m otel_posthog.apps.reference docs/commands.md
	$(BIN)/otel-posthog collector-config --output collector-config/privacy.yaml
	$(BIN)/otel-posthog collector-config --format alloy --output collector-config/alloy/config.alloy

dashboards: $(VENV)/.ready ## Renew what Grafana and Prometheus read, collector-config/grafana/
	$(BIN)/python -m dashboards

site: $(VENV)/.ready ## Build the documentation's site into site/; a warning is an error
	$(BIN)/zensical build --strict --clean

site-serve: $(VENV)/.ready # Show the site while its pages are written
	$(BIN)/zensical serve

collector: ## Build the Collector of collector-config/ with Go: three minutes the first time, on two cores
	@.ci/build-collector $(CACHE)

screenshots: $(VENV)/.ready ## Take the pictures of the inspector again, docs/images/inspector-*.png, with this machine's fonts
	OTEL_POSTHOG_SCREENSHOTS=1 $(BIN)/python -m pytest tests/inspector/test_inspector_page_live.py $(ARGS)

fuzz: $(VENV)/.ready ## Throw made-up texts at the privacy filter for ten minutes
	$(BIN)/python -m benchmarks --only fuzz_privacy $(ARGS)

lock: $(VENV)/.ready ## Renew requirements.lock
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --upgrade --quiet \
	  --python-version 3.10 --group dev --all-extras pyproject.toml --output-file requirements.lock

# uv installs in seconds what pip takes minutes for; where it cannot be had, or not reach the index, pip does it.
INSTALL_UV = UV_SYSTEM_CERTS=true $(BIN)/uv pip install --quiet --python $(BIN)/python
INSTALL_PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCKED = --require-hashes --requirement requirements.lock
OURSELVES = --no-deps --no-build-isolation --editable .

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=...")'
	@echo "making $(VENV) with the locked development environment ..." >&2
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) # one of another Python may be there
	@$(INSTALL_PIP) uv >&2 || true
	@{ $(INSTALL_UV) $(LOCKED) && $(INSTALL_UV) $(OURSELVES); } >&2 \
	  || { echo "uv could not; pip does it, which takes longer ..." >&2; $(INSTALL_PIP) $(LOCKED) >&2 && $(INSTALL_PIP) $(OURSELVES) >&2; }
	@touch $@

clean: ## Remove the environment and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .cache dist site
