# make help lists what there is; every target sets up .venv first if pyproject.toml or constraints.txt changed.
PYTHON ?= python3
BIN := .venv/bin
PY := $(BIN)/python
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup test search soak check demo lock clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) ## make .venv: the versions of constraints.txt, checked by hash, and exchina itself, editable

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "exchina needs Python 3.11 or later; set PYTHON=")'
	$(PYTHON) -m venv --clear .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

test: $(STAMP) ## run the tests, on every core
	$(PY) -m pytest -n auto --dist worksteal

search: $(STAMP) ## look for new counterexamples: every property test, with examples not tried before
	$(PY) -m pytest -n auto -m hypothesis --hypothesis-profile=search

soak: $(STAMP) ## hours of it: the service killed 5,000 times, 1,000 races for one publication; figures in docs/reliability.md
	EXCHINA_KILLS=5000 EXCHINA_RACES=1000 $(PY) -m pytest -n auto -s tests/shell/test_serve_kill.py tests/ledger/test_races.py

check: $(STAMP) ## everything that must hold before a change is merged: style, types, layers, tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright --pythonpath $(PY)
	$(BIN)/lint-imports
	$(PY) -m pytest -n auto --dist worksteal

DEMO := ../$(BIN)/exchina
demo: $(STAMP) ## the main job on the sample market for both indices, in the folder demo; no network
	@rm -rf demo
	$(BIN)/exchina init demo
	cd demo && $(DEMO) fetch sample
	cd demo && $(DEMO) check
	cd demo && $(DEMO) backtest ex-china-core
	cd demo && $(DEMO) backtest magnet-chain
	cd demo && $(DEMO) study magnet-chain --kind western_price_floor
	cd demo && $(DEMO) explain magnet-chain mp-materials --as-of 2026-09-10
	cd demo && $(DEMO) explain magnet-chain lynas-rare-earths --change --as-of 2026-09-10
	cd demo && $(DEMO) propose policy-floor --as-of 2026-09-10
	cd demo && $(DEMO) serve --dry-run --now 2026-09-12 --until 2026-12-31
	cd demo && $(DEMO) serve --once --now 2026-09-12
	cd demo && $(DEMO) log
	cd demo && $(DEMO) verify
	cd demo && $(DEMO) verify --download public
	@echo
	@echo "Made in demo/ from simulated prices:"
	@find demo/public -path '*/announcement/*' -type f | sort | sed 's/^/  /'
	@echo "  demo/public/index.html, and the closing files of every session since 1 September 2026"
	@echo
	@echo "Open demo/public/index.html in a browser. Then, in demo/ with PATH=../$(BIN):\$$PATH"
	@echo "  exchina explain ex-china-core lynas-rare-earths    why a company is in or out, rule by rule"
	@echo "  edit indices/magnet-chain/rulebook.toml            then: exchina check; exchina backtest magnet-chain"
	@echo "  exchina fetch files --mapping prices.toml          your own prices: docs/guides/your-own-prices.md"
	@echo "  exchina fetch yahoo                                live prices: docs/guides/live-prices.md"
	@echo "  exchina serve                                      keeps the schedule: docs/guides/publishing.md"

lock: ## renew constraints.txt (needs uv)
	printf 'hatchling>=1.27\neditables>=0.5\n' | uv pip compile pyproject.toml - --all-extras --generate-hashes --universal \
		--python-version 3.11 --no-header --no-annotate --no-emit-index-url --upgrade --quiet --output-file constraints.txt

clean: ## remove what was made: .venv, caches, builds
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist build demo
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
