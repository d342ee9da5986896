# The README's commands: `make book`, `make test`, and `make iemocap` for those who have that corpus.
# Variables:
#   PYTHON=python3.12   the interpreter that .venv is made with (3.11 or newer)
#   CORPUS=emodb        the speech that the chapters are run on; real speech needs SER_DATA
#   PROFILE=full        train and measure longer where a chapter does so; runs of studies are read
#   JOBS=8 DEVICE=cuda  networks that `make iemocap` trains at a time, and on what
PYTHON ?= python3
CORPUS ?= builtin
PROFILE ?= smoke
JOBS ?= 1
DEVICE ?= cpu

BIN := .venv/bin
# Named after what it depends on, so that neither a fresh clone nor a touched file installs again.
STAMP := .venv/installed-$(shell cat requirements.txt pyproject.toml | cksum | tr ' ' -)

.PHONY: book test iemocap sync clean
.DEFAULT_GOAL := book

book: $(STAMP)
	@$(BIN)/ser book build --corpus $(CORPUS) --profile $(PROFILE)

# Formatting, lint, types, then doctests, unit tests and the tests of the book; each is timed.
test: $(STAMP)
	@set -e; \
	timed() { start=$$(date +%s); echo "== $$*"; "$$@"; echo "== $$(($$(date +%s) - start)) s"; }; \
	timed $(BIN)/ruff format --check .; \
	timed $(BIN)/ruff check .; \
	timed $(BIN)/mypy; \
	timed $(BIN)/pytest --durations=10

# Tables 1 and 2 of paper 1 on its own corpus; trains what is not trained yet (book/iemocap.md).
iemocap: $(STAMP)
	@$(BIN)/ser study tables iemocap --run --jobs $(JOBS) --device $(DEVICE)

# After editing notebooks/*.py: the same set-up cell in all, and their .ipynb twins.
sync: $(STAMP)
	@$(BIN)/ser book sync

clean:
	rm -rf _build

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	"Name another: make PYTHON=python3.12" >&2; exit 1; }
	@echo "environment: .venv"; start=$$(date +%s); set -e; \
	test -x $(BIN)/python || $(PYTHON) -m venv .venv; \
	$(BIN)/python -m pip install --quiet -r requirements.txt; \
	$(BIN)/python -m pip install --quiet --no-deps --editable .; \
	: librosa compiles itself at its first import, and two processes at once would spoil that; \
	$(BIN)/python -c "import librosa.core.pitch, librosa.display, librosa.feature"; \
	rm -f .venv/installed-*; touch $@; \
	echo "environment: ready in $$(($$(date +%s) - start)) s"
