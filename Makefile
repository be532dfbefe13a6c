# Everything a newcomer needs: `make serve` and `make test` do all the set-up themselves.
PORT ?= 5000
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FLASK := $(BIN)/flask
export FLASK_APP := app.py
export PYTHONPATH := $(CURDIR)
# Each command, worker and server would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help serve test check demo bench lock catalogues build .packages .types .lint

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

serve: build ## a working product on http://127.0.0.1:$(PORT)
	@$(FLASK) db upgrade
	@if $(FLASK) db empty; then $(FLASK) directory starter && $(FLASK) accounts demo && $(FLASK) gaps access --keep >/dev/null; else $(FLASK) accounts hint; fi
	@echo "Jejaring: http://127.0.0.1:$(PORT)"
	@$(BIN)/gunicorn --bind 127.0.0.1:$(PORT) --workers 1 --worker-class gthread --threads 8 --no-control-socket \
	  --config python:referral.jobs.serving \
	  --access-logfile - --access-logformat '%(t)s %(m)s %(U)s %(s)s %(M)sms' app:app

test: build $(VENV)/dev .packages ## every test, with a real browser
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: build $(VENV)/dev ## format, lint, types, import contracts, templates, sentences
	@$(MAKE) --no-print-directory --jobs 2 --output-sync .types .lint

.types:
	@$(BIN)/mypy

.lint:
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/djlint --lint --quiet --ignore H043 templates
	@$(BIN)/bandit --quiet --recursive referral app.py assets --severity-level medium
	@$(BIN)/python -m pytest -q tests/whole/test_translations.py tests/whole/test_docs.py

demo: build ## both scenarios of the sources, from story to closed loop, in the terminal
	@$(FLASK) demo

bench: build $(VENV)/dev ## measured comparisons
	@$(BIN)/python -m benchmarks

build: $(VENV)/run static/vendor/manifest.json directory_data/gazetteer.csv catalogues

$(VENV)/run: requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	@touch $@

static/vendor/manifest.json: $(VENV)/run package-lock.json $(wildcard assets/*)
	@$(BIN)/python assets/vendor.py
	@touch $@

directory_data/gazetteer.csv: $(VENV)/run $(wildcard referral/places/*.py) $(wildcard directory_data/place_*.csv)
	@$(BIN)/python -m referral.places.build $@

catalogues: $(VENV)/run
	@$(BIN)/pybabel --quiet compile --directory referral/translations

# Browser, PostgreSQL and Redis are Debian packages. Root installs them; anybody else is told their names.
.packages:
	@{ command -v chromium && command -v redis-server && ls /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1 \
	  || { [ "$$(id -u)" = 0 ] && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium postgresql redis-server >/dev/null; } \
	  || { [ -z "$$CI" ] && echo "Tests in a browser, on PostgreSQL and on Redis are skipped without the packages 'chromium', 'postgresql' and 'redis-server'."; }

lock: ## resolve the dependencies again
	@$(BIN)/uv pip compile --quiet setup.cfg --extra postgresql --extra redis --extra gazetteer --generate-hashes --universal \
	  --no-emit-index-url --no-annotate --no-header --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet setup.cfg --extra postgresql --extra redis --extra gazetteer --extra test --extra check \
	  --constraint requirements.lock --generate-hashes --universal --no-emit-index-url --no-annotate --no-header \
	  --output-file requirements-dev.lock
