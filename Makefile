# The two commands: `make demo` and `make test`. Everything lives in .venv; nothing outside the checkout is
# touched but the Debian packages of the judges (tests only), and those only where apt may install.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/dev.txt
ZIP := dist/s3torrent-lambda.zip
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test checkov lint format package wheels bench fuzz kernel pictures soak lock docs clean setup judges

demo: setup
	@$(BIN)/python -m s3torrent.devstack.demo

test: setup judges
	$(BIN)/python -m pytest -n 4 --dist worksteal

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# checkov pins a boto3 of its own, so it has an environment of its own.
checkov: .venv-checkov/.installed
	.venv-checkov/bin/checkov --config-file .checkov.yaml --skip-download

.venv-checkov/.installed: requirements/checkov.txt
	@sh util/make-venv.sh "$(PYTHON)" .venv-checkov
	@echo "installing checkov from PyPI ..."
	@.venv-checkov/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --only-binary :all: -r $<
	@touch $@

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

package: wheels
	$(BIN)/python -m s3torrent.devstack.package $(ZIP) $$(find dist -name '*.whl')

# For each architecture that a C compiler is here for.
wheels: setup
	@rm -f dist/*.whl
	@sh util/build-wheels.sh $(BIN)/python dist

# An hour over all targets; what it finds lies in fuzz-finds/.
FUZZ_SECONDS ?= 600
fuzz: setup
	@$(PIP) install --require-hashes --only-binary :all: -r requirements/fuzz.txt
	cd tests && for target in bencode torrent event config s3 status; do \
	  ../$(BIN)/python -m fuzz.run $$target --seconds $(FUZZ_SECONDS) || exit 1; done

# Millions of random cases for each hashing kernel, also of other CPUs: three times that long, and the emulators.
KERNEL_SECONDS ?= 300
kernel: setup
	cd tests && ../$(BIN)/python -m native.run --seconds $(KERNEL_SECONDS)

# The docs' pictures, anew; tests/docs tells when they are old.
pictures: setup judges
	$(BIN)/python docs/pictures/make.py

soak: setup
	$(BIN)/python bench/soak.py

bench: setup judges
	$(BIN)/python bench/run.py

setup: $(VENV)/.built

$(VENV)/.installed: $(LOCK) pyproject.toml
	@sh util/make-venv.sh "$(PYTHON)" $(VENV)
	@echo "installing the locked packages from PyPI ..."
	@$(PIP) install --require-hashes --only-binary :all: -r $(LOCK)
	@touch $@

# With the C extensions, where there are a compiler and Python's headers.
$(VENV)/.built: $(VENV)/.installed setup.py $(wildcard src/s3torrent/*/native/*)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/s3torrent --version
	@touch $@

judges:
	@sh util/install-judges.sh

# The pages that are written from the code; tests compare.
docs: setup
	for page in docs/make_*.py; do $(BIN)/python $$page || exit 1; done

lock: setup
	$(BIN)/uv pip compile --quiet pyproject.toml --extra stack --extra record --extra inventory --extra catalog --group judges --group test --group lint --group build \
	  --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade -o $(LOCK)
	$(BIN)/uv pip compile --quiet pyproject.toml --extra record --constraint $(LOCK) --universal --python-version 3.13 \
	  --generate-hashes --no-header --no-annotate -o requirements/record.txt
	$(BIN)/uv pip compile --quiet pyproject.toml --extra catalog --constraint $(LOCK) --universal --python-version 3.13 \
	  --generate-hashes --no-header --no-annotate -o requirements/cli.txt
	$(BIN)/uv pip compile --quiet --group build --constraint $(LOCK) --universal --python-version 3.13 \
	  --generate-hashes --no-header --no-annotate -o requirements/build.txt
	$(BIN)/uv pip compile --quiet pyproject.toml --group fuzz --constraint $(LOCK) --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate -o requirements/fuzz.txt
	echo checkov | $(BIN)/uv pip compile --quiet - --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --upgrade -o requirements/checkov.txt

clean:
	rm -rf $(VENV) .venv-checkov dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
