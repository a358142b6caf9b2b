# make env    builds .venv from the lock files, and checks the digest of each package
# make serve  starts the service with its embedded defaults (or ./waggle.yaml)
# make lint   checks style, types, names and layers
# make test   checks everything that must hold: lint, and the tests
# make slow   runs the tests that take long, and draws many more examples and seeds
# make soak   kills -9 the telemetry, and the store of solutions, two hundred times each
# make attack      attacks a service of its own for at most ten minutes; shows what held
# make attack-long tries far more, for an hour
# make image        builds the image `waggle`, with Docker
# make image-steps  runs the image's steps in a clean folder, and compares its answers and its size
# make clients  installs the apps that `waggle connect` names, in .venv-clients, and tries them
# make audit  looks every locked package up in the database of advisories
# make sbom   writes sbom.json: the software that is installed
# make bench  measures the endpoint beside a bare Serve app and other gateways (ten minutes)
# make profile          shows where the CPU of a request goes, by process and function
# make bench-sandbox    measures what isolation costs and what it stops
# make bench-plans bench-reading      measures the cost and quality of plans, and of the specialists' search
# make bench-statistics measures which requests are computed, how correctly and how fast
# make bench-replay     replays the learner on recorded answers, beside its controls and others
# make bench-hop BEFORE=FOLDER  measures a call of a replica in a checkout of before, and in this one
# make bench-memory     measures whether a conversation is remembered over backends that change
# make bench-kinds      measures whether a request written again gets the same plan
# make bench-offpolicy  measures how often the intervals of off-policy estimates hold the truth
# make bench-catalog    counts the models whose price is known, and the wrong prices
# make bench-reading      counts what is rightly read of agents and users, on cases nobody tuned to
# make bench-signals      measures what users' behaviour is worth beside rare ratings
# make bench-shadow     measures what is told of auto in the shadow, and when it switches on
# make bench-agents       measures what escalating within agents' sessions saves
# make bench-busy         measures what it brings to look at which backends are busy
# make bench-busy-outsider  the same in worlds by somebody who had not seen the code
# make bench-drift        measures whether a model that becomes worse is noticed
# make bench-library    measures whether the library's A/B says what standards bring
# make bench-reuse      measures how often reuse is right, and what a lookup costs
# make bench-trials     measures how reliable verdicts are, and simulates twelve weeks
# make bench-dialects   measures what a request loses between dialects, and what each adds
# make bench-dashboard  measures what watching costs, and checks that everybody can use it
# make bench-demo       runs `waggle demo`, killed and started again halfway
# make bench-budgets    measures by how much budgets of keys, teams and tags are exceeded
# make bench-guardrails measures what guards find, and what they add to a request
# make bench-growth     measures what grows in worlds written by others, and whether it helps
#   also bench-growth-serve: whether an adopted plan should answer its whole pattern
#   also bench-growth-beside: when answers beside a plan's parent count
# make bench-fill       lets fills write templated notices, and leaves them requests without a value
# make bench-heads      measures which tasks a head takes over, what it adds, and fifty kills
# make bench-knowledge  asks random readers for stores with random grants, against a model of rights
#   also bench-knowledge-freshness, -million FOLDER=, -claims, -held, -kills, -revoked, -finding, -rows (see experiments/knowledge)
# make bench-poison     measures whether a model of poisoned rows is ever left in service
# make bench-kills      kills the learner and its lesson fifty times, at every stage
# make bench-soft       measures what the chances of a teacher's labels are worth to a head
# make bench-train      plays `waggle demo --train`, and keeps the bill of each chapter
# make bench-training   counts which duplicates and leaks are found in data sets of traffic
# make bench-twin       measures whether a twin writes as its author, and how much it copies
# make bench-init       measures the way from `waggle init` to the first answer
# make bench-start      measures a start, the memory of an idle service, and a stop
# make bench-scale BEFORE=FOLDER  measures what is full first with more routers, and simulates a hundred
# make bench-structure  counts the modules that one chat request visits, and how they are built
# make bench-telemetry  measures the cost of writing and querying ten million rows

# Else each process compiles our modules again, and each worker of the tests rewrites their asserts.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.installed
LOCKS := requirements.lock requirements-built.lock requirements-torch.lock
AUDIT := .venv-audit
CLIENTS := .venv-clients
INSTALL := $(BIN)/python .ci/pip_progress.py .venv/install.log

.PHONY: env serve test lint slow soak image image-steps attack attack-long bench bench-agents bench-busy bench-catalog bench-dashboard bench-dialects bench-demo bench-drift bench-kinds bench-library bench-llama bench-memory bench-offpolicy bench-replay bench-reuse bench-sandbox bench-shadow bench-signals bench-plans bench-statistics bench-start bench-structure bench-telemetry bench-trials lock audit sbom clean

env: $(STAMP)

$(STAMP): $(LOCKS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Waggle needs Python 3.11; $(PYTHON) is $$($(PYTHON) --version). Set PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what requirements.lock names; the first time takes a few minutes."
	@rm -f .venv/install.log
	@$(INSTALL) --no-deps --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --require-hashes --no-build-isolation -r requirements-built.lock
	@$(INSTALL) --no-deps -r requirements-torch.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@echo "Preparing the sentence encoder and the documents that every first start needs."
	@$(BIN)/python -m router.documents.installing
	@touch $(STAMP)

serve: $(STAMP)
	@exec $(BIN)/waggle serve

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.check_names

# Side by side. Three workers for two cores: one of them has the running service, whose tests mostly
# wait. The few that fail run once more, alone, and are named if they pass then. Tests that look at
# the whole machine run alone afterwards.
test: $(STAMP)
	@$(MAKE) --no-print-directory -j 2 lint together
	$(BIN)/python -m pytest -m "alone and not slow" $$(grep -rl "mark.alone" tests --include="*.py")

.PHONY: together
together: $(STAMP)
	$(BIN)/python -m tests.together

# Tests that take long, for replicas under load, kills, browsers, or very long texts, and properties
# with all of their examples. Side by side, as `make test` runs its tests.
slow: $(STAMP)
	$(BIN)/python -m tests.together --slow
	$(BIN)/python -m pytest -m "alone and slow" $$(grep -rl "mark.alone" tests --include="*.py")

attack: $(STAMP)
	$(BIN)/python -m experiments.attack.run

attack-long: $(STAMP)
	$(BIN)/python -m experiments.attack.run --long

bench: $(STAMP)
	$(BIN)/python -m experiments.overhead.run

.PHONY: profile
profile: $(STAMP)
	$(BIN)/python -m experiments.overhead.profiling

bench-sandbox: $(STAMP)
	$(BIN)/python -m experiments.sandbox.run

bench-replay: $(STAMP)
	@$(INSTALL) '.[bench]'
	$(BIN)/python -m experiments.replay.run --jobs 2 --publish

.PHONY: bench-hop
bench-hop: $(STAMP)
	$(BIN)/python -m experiments.hop.run $(BEFORE)

bench-memory: $(STAMP)
	$(BIN)/python -m experiments.memory.run

bench-kinds: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.kinds.run

bench-catalog: $(STAMP)
	$(BIN)/python -m experiments.catalog.run

bench-agents: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.agents.run

bench-busy: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.busy.run

.PHONY: bench-busy-outsider
bench-busy-outsider: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.busy.outsider.run

bench-drift: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.drift.run

bench-offpolicy: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.offpolicy.run

bench-shadow: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.shadow.run

bench-reading: $(STAMP)
	$(BIN)/python -m experiments.reading.run

bench-signals: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.signals.run

bench-library: $(STAMP)
	$(BIN)/python -m experiments.library.run

bench-reuse: $(STAMP)
	$(BIN)/python -m experiments.reuse.run

bench-trials: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.trials.run

bench-dialects: $(STAMP)
	$(BIN)/python -m experiments.dialects.run --publish

bench-dashboard: $(STAMP)
	$(BIN)/python -m experiments.dashboard.run

bench-demo: $(STAMP)
	$(BIN)/python -m experiments.demo.run

bench-llama: $(STAMP)
	$(BIN)/python -m experiments.llama.run --publish

bench-plans: $(STAMP)
	$(BIN)/python -m experiments.plans.run

bench-statistics: $(STAMP)
	$(BIN)/python -m experiments.statistics.run

.PHONY: bench-budgets
bench-budgets: $(STAMP)
	$(BIN)/python -m experiments.budgets.run

.PHONY: bench-guardrails
bench-guardrails: $(STAMP)
	$(BIN)/python -m experiments.guardrails.run

.PHONY: bench-growth-beside
bench-growth-beside: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.growth.beside

.PHONY: bench-growth-serve
bench-growth-serve: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.growth.serve

.PHONY: bench-growth
bench-growth: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.growth.run

.PHONY: bench-fill
bench-fill: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.training.fill.run

.PHONY: bench-heads
bench-heads: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.training.heads.run

.PHONY: bench-knowledge
bench-knowledge: $(STAMP)
	$(BIN)/python -m experiments.knowledge.grants.run

.PHONY: bench-knowledge-freshness
bench-knowledge-freshness: $(STAMP)
	$(BIN)/python -m experiments.knowledge.freshness --out experiments/knowledge/freshness.json

.PHONY: bench-knowledge-million
bench-knowledge-million: $(STAMP)
	$(BIN)/python -m experiments.knowledge.million $(FOLDER) --out experiments/knowledge/million.json

.PHONY: bench-knowledge-claims
bench-knowledge-claims: $(STAMP)
	$(BIN)/python -m experiments.knowledge.claims --out experiments/knowledge/claims.json

.PHONY: bench-knowledge-held
bench-knowledge-held: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.knowledge.held

.PHONY: bench-knowledge-kills
bench-knowledge-kills: $(STAMP)
	$(BIN)/python -m experiments.knowledge.kills --out experiments/knowledge/kills.json

.PHONY: bench-knowledge-revoked
bench-knowledge-revoked: $(STAMP)
	$(BIN)/python -m experiments.knowledge.revoked --out experiments/knowledge/revoked.json

.PHONY: bench-knowledge-rows
bench-knowledge-rows: $(STAMP)
	$(BIN)/python -m experiments.knowledge.rows $(FOLDER) $(QUESTIONS) --set $(SET)

.PHONY: bench-knowledge-migrating
bench-knowledge-migrating: $(STAMP)
	$(BIN)/python -m experiments.knowledge.migrating $(CASES) --write

.PHONY: bench-knowledge-finding
bench-knowledge-finding: $(STAMP)
	$(BIN)/python -m experiments.knowledge.finding $(QUESTIONS) $(SPANISH) $(ENCODERS)

.PHONY: bench-poison
bench-poison: $(STAMP)
	$(BIN)/python -m experiments.training.poison.run

.PHONY: bench-kills
bench-kills: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.training.kills.run

.PHONY: bench-soft
bench-soft: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.training.soft.run

.PHONY: bench-train
bench-train: $(STAMP)
	$(BIN)/python -m experiments.training.demo.run

.PHONY: bench-training
bench-training: $(STAMP)
	$(BIN)/python -m experiments.training.data.run

.PHONY: bench-twin
bench-twin: $(STAMP)
	$(BIN)/python -m experiments.training.twin.run

.PHONY: bench-init
bench-init: $(STAMP)
	$(BIN)/python -m experiments.init.run

bench-start: $(STAMP)
	$(BIN)/python -m experiments.start.run

.PHONY: bench-scale
bench-scale: $(STAMP)
	$(BIN)/python -m experiments.scale.run $(if $(BEFORE),--before $(BEFORE))

bench-structure: $(STAMP)
	$(BIN)/python -m experiments.structure.run

bench-telemetry: $(STAMP)
	$(BIN)/python -m experiments.telemetry.run

image:
	docker build -t waggle:latest -t waggle:$$($(PYTHON) .ci/release.py version) .

# Takes minutes, and 4 GB of a temporary folder.
image-steps: $(STAMP)
	$(BIN)/python -m experiments.image.run --publish

soak: $(STAMP)
	$(BIN)/python -m tests.telemetry.soak --kills 200
	$(BIN)/python -m tests.reuse.soak --kills 200

# The apps need other versions than Waggle does. Their tests are skipped where this was never made.
.PHONY: clients lock-clients
clients: $(STAMP) $(CLIENTS)/.installed
	$(BIN)/python -m pytest tests/clients

$(CLIENTS)/.installed: requirements-clients.lock tests/clients/agents/package-lock.json
	@test -x $(CLIENTS)/bin/python || $(PYTHON) -m venv $(CLIENTS)
	@$(CLIENTS)/bin/python .ci/pip_progress.py $(CLIENTS)/install.log --no-deps --require-hashes -r requirements-clients.lock
	@mkdir -p $(CLIENTS)/agents && cp tests/clients/agents/package*.json $(CLIENTS)/agents
	@npm ci --prefix $(CLIENTS)/agents --no-audit --no-fund --silent || \
		echo "The agents of npm are not installed: their tests are skipped."
	@touch $@

lock-clients:
	@.ci/lock_clients.sh $(PYTHON)

# Resolves pyproject.toml again, in an environment of its own.
lock:
	@.ci/lock.sh $(PYTHON)

# The tools that look at dependencies live in an environment of their own.
$(AUDIT)/.installed: Makefile
	@test -x $(AUDIT)/bin/python || $(PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/python .ci/pip_progress.py $(AUDIT)/install.log pip-audit==2.10.1 cyclonedx-bom==7.5.0
	@touch $@

# Fails if a package has an advisory, and if a package could not be looked up.
audit: $(AUDIT)/.installed
	@$(AUDIT)/bin/pip-audit --strict --disable-pip --no-deps -r requirements.lock -r requirements-built.lock
	@$(AUDIT)/bin/pip-audit --strict --disable-pip --no-deps -r requirements-torch.lock

sbom: $(STAMP) $(AUDIT)/.installed
	@$(AUDIT)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-file sbom.json $(BIN)/python
	@echo "sbom.json lists what is installed, in CycloneDX's form."

clean:
	rm -rf .venv .venv-audit .venv-clients sbom.json .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
