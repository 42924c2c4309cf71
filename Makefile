# musrec: `make demo` shows what it does, `make test` shows that it does it.
#
#   make demo MUSIC=~/Music [TRACK="words"]   analyse a folder, show what sounds like one of its tracks
#   make demo                                 the same on a small library rendered for the purpose
#   make test                                 style, types and all tests
#   make benchmark [ONLY=analysis,search]     what hearing and asking cost, beside other programs
#
# PyTorch comes from its own index of CPU builds, because the Linux build on PyPI brings gigabytes of CUDA.
# Another mirror: make TORCH_INDEX=https://…   Your pip knows where to find it already: make TORCH_INDEX=
# A build for your GPU, or another version: make TORCH="torch==2.13.0" TORCH_INDEX=https://…

PYTHON ?= python3
VENV ?= .venv
MUSIC ?=
TRACK ?=
TEACHERS ?=
ONLY ?=
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
# Only Linux builds come in a CPU flavour; elsewhere the plain one is it.
TORCH ?= torch==2.13.0$(if $(filter Linux,$(shell uname -s)),+cpu)

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help install demo test benchmark clean

help:
	@sed -n '3,6s/^# *//p' Makefile

install: $(VENV)/.musrec

$(VENV)/.torch:
	@$(PYTHON) -m venv $(VENV)
	@echo "Installing PyTorch (CPU build) …"
	@$(PIP) $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) "$(TORCH)"
	@touch $@

$(VENV)/.musrec: $(VENV)/.torch setup.py
	@echo "Installing musrec …"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.tests: $(VENV)/.musrec
	@echo "Installing what the tests need …"
	@$(PIP) --editable '.[tests,training]'
	@touch $@

# Not every shell expands the ~ of MUSIC=~/Music. Each folder has a library of its own, so that answers stay within it.
demo: $(VENV)/.musrec
	@mkdir -p demo
	@$(if $(MUSIC),:,$(BIN)/python -m model_training.synthesis demo/music)
	@music="$(or $(MUSIC),demo/music)"; case "$$music" in "~/"*) music="$$HOME/$${music#??}";; esac; \
		[ -d "$$music" ] || { echo "There is no folder $$music"; exit 1; }; \
		library="demo/$$(cd "$$music" && pwd | cksum | cut -d' ' -f1).db"; \
		$(BIN)/musrecd --library "$$library" scan "$$music" || [ $$? -eq 1 ] || exit; \
		echo; \
		$(BIN)/musrecd --library "$$library" similar $(if $(TRACK),"$(TRACK)",--random) && \
		echo && echo "Ask on: $(BIN)/musrecd --library $$library similar some words, or a file"

test: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto

# What cannot be installed here is left out of the tables. TEACHERS=folder with the published weights of musicnn.
benchmark: $(VENV)/.tests
	-$(PIP) bliss-audio
	$(BIN)/python -m tests.benchmarks --page docs/benchmarks.md $(if $(ONLY),--only $(ONLY)) \
		$(if $(TEACHERS),--teachers $(TEACHERS))

clean:
	rm -rf demo build *.egg-info .mypy_cache .ruff_cache .pytest_cache
