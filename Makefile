# Every target sets itself up: the first one makes .venv and fills it, the next ones find it there.
# `make` alone lists the targets. ARGS goes to the program or to pytest: make test ARGS="-k bounce -x"

.ONESHELL:
SHELL := /bin/sh
.SHELLFLAGS := -euc
.DEFAULT_GOAL := help
.PHONY: help demo test soak test-servers bench check format clean
.DELETE_ON_ERROR:

PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest
ARGS ?=
STAY ?=

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

demo: .venv/.demo  ## play the whole story on embedded mail servers; STAY=1 keeps them running
	@$(PYTHON) -m mailflow.cli.main demo $(if $(filter-out 0 no,$(STAY)),--stay) $(ARGS)

test: .venv/.dev  ## every test that needs no server and no browser; under a minute, set-up included
	@$(PYTEST) -n 2 --dist worksteal -m "not servers and not soak" $(ARGS)

soak: .venv/.dev  ## the long ones: whole conversations, attacks, killed processes, random stories, the wheel
	@$(PYTEST) -n 2 --dist loadgroup -m soak $(ARGS)

# One process: every worker of its own would start every server of its own.
test-servers: .venv/.servers  ## the tests on Dovecot, Postfix, PostgreSQL and Chromium; a missing one is skipped
	@$(PYTEST) -m servers -rs $(ARGS)

bench: .venv/.dev  ## measure what mailflow costs, some minutes long; docs/performance.md says what
	@$(PYTHON) -m bench $(ARGS)

check: .venv/.dev  ## style, types and the shape of the house
	@$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTEST) tests/test_architecture.py

format: .venv/.dev  ## put imports and lines into the house's style
	@$(PYTHON) -m ruff check --select I --fix .
	$(PYTHON) -m ruff format .

clean:  ## remove what these targets made; data folders stay
	@rm -rf .venv .mypy_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Set-up. A stamp, .venv/.EXTRA, says that the extra of that name is installed as pyproject.toml wants it; a larger
# extra holds the smaller ones. The lock is on pyproject.toml itself (no file of its own to leave behind), so that two
# makes at once, or two targets of one `make -j`, do not fill the same .venv; the second finds the work done.
.venv/.demo .venv/.dev .venv/.servers: pyproject.toml
	@extra=$(patsubst .venv/.%,%,$@)
	exec 9<pyproject.toml
	if command -v flock >/dev/null; then flock 9; fi
	if [ -e "$@" ] && [ -z "$$(find pyproject.toml -newer "$@")" ]; then exit 0; fi
	log=$$(mktemp)
	trap 'rm -f "$$log"' EXIT
	failed() {
	    cat "$$log" >&2
	    echo "Setting up .venv failed; what was said is above." >&2
	    exit 1
	}
	if ! $(PYTHON) -c '' 2>/dev/null; then
	    rm -rf .venv
	fi
	if command -v uv >/dev/null; then
	    echo "Setting up .venv with uv ..."
	    # --seed: the wheel's own test wants pip.
	    [ -d .venv ] || uv venv -q --seed --python '>=3.11' .venv >"$$log" 2>&1 || failed
	    uv pip install -q --python $(PYTHON) -e ".[$$extra]" >"$$log" 2>&1 || failed
	else
	    if [ ! -d .venv ]; then
	        old=
	        for python in python3.13 python3.12 python3.11 python3; do
	            # It is run, not looked up: pyenv puts commands into PATH that only say "not installed".
	            version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
	            if ! $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
	                old=$$version
	                continue
	            fi
	            # Debian's python3 comes without ensurepip, and then leaves half a .venv behind.
	            if $$python -c 'import ensurepip' 2>/dev/null && $$python -m venv .venv >"$$log" 2>&1; then
	                break
	            fi
	            rm -rf .venv
	        done
	        if [ ! -d .venv ]; then
	            cat "$$log" >&2
	            echo "mailflow needs Python 3.11 or newer with its venv module, or uv." >&2
	            if [ -n "$$old" ]; then
	                echo "The Python here is $$old. uv brings a newer one by itself: https://docs.astral.sh/uv" >&2
	            else
	                echo "Install one of the two and run make again:" >&2
	                echo "    sudo apt-get install python3-venv" >&2
	                echo "    https://docs.astral.sh/uv" >&2
	            fi
	            exit 1
	        fi
	    fi
	    echo "Setting up .venv with Python $$($(PYTHON) -c 'import platform; print(platform.python_version())') ..."
	    $(PYTHON) -m pip install -q --disable-pip-version-check -e ".[$$extra]" >"$$log" 2>&1 || failed
	fi
	case $$extra in
	    servers) touch .venv/.demo .venv/.dev .venv/.servers ;;
	    dev) touch .venv/.demo .venv/.dev ;;
	    *) touch .venv/.demo ;;
	esac
