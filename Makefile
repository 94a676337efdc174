# make help lists the targets.

VERSION := 0.1.0
PKG     ?= ./...
OUT     ?= demo-out
TOOLS   := $(notdir $(wildcard cmd/mm-*))
SHELL   := /bin/bash
GO      ?= go

# cgo cannot ask whether a library is there, so make does; without the libraries, and with TAGS=, the kernels in Go are built.
ifeq ($(origin TAGS),undefined)
TAGS := $(shell scripts/deps --tags)
endif
export GOFLAGS := $(if $(TAGS),-tags=$(TAGS)) $(filter-out -tags=%,$(GOFLAGS))
LDFLAGS := -s -w -X mmtools/pkg/cli.Version=$(VERSION)

# Settings of `make experiment`; METHOD is a script's name.
METHOD  ?= sample-level
SEED    ?= 0
NAME    ?= $(METHOD)-$(SEED)
OPTIONS ?=

.DEFAULT_GOAL := help
.PHONY: help deps build cuda cuda-test cuda-check ptx install test race fuzz bench lint man man-check demo experiment check clean

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | awk -F '|' '{ printf "  %-11s %s\n", $$1, $$2 }'
	@echo; echo "  build tags: $(or $(TAGS),none) (TAGS= builds the kernels in Go alone)"

deps: ## install the C compiler and OpenBLAS where that can be done
	@scripts/deps

build: ## build the tools into bin/
	@scripts/deps --quiet
	@$(MAKE) --no-print-directory tools

# A make of its own: the tags are asked for again after scripts/deps may have installed what was missing.
.PHONY: tools
tools:
	@echo "building $(TOOLS) with $(or $(TAGS),the kernels in Go alone)" >&2
	@mkdir -p bin
	@$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ $(addprefix ./cmd/,$(TOOLS))

# Where the CUDA driver's declarations are, and the empty library that gorgonia.org/cu asks the linker for.
CUDA := $(CURDIR)/pkg/kernel/cuda/driver
CUDA_ENV := CGO_CFLAGS="-O2 -g -I$(CUDA)" CGO_LDFLAGS="-O2 -g -L$(CUDA)"
COMMA := ,

cuda: ## build the tools for NVIDIA cards too, into bin/ (docs/gpu.md)
	@scripts/deps --quiet
	@$(CUDA_ENV) $(MAKE) --no-print-directory tools TAGS=$(if $(TAGS),$(TAGS)$(COMMA))mmcuda

cuda-test: ## run the tests of the CUDA device, on an emulated driver where there is no card
	@$(CUDA_ENV) $(MAKE) --no-print-directory go-test TAGS=$(if $(TAGS),$(TAGS)$(COMMA))mmcuda PKG='./pkg/kernel/cuda/... ./pkg/device ./cmd/mm-fit'

cuda-check: ## pack scripts/gpu-check and go through it with no card: every part of it, on small data and the emulated driver
	@scripts/deps --quiet
	@d=$$(mktemp -d) && trap 'rm -rf "$$d"' EXIT && scripts/gpu-pack "$$d" && "$$d/gpu-check" --dry

ptx: ## compile the CUDA kernels to PTX with clang-19
	@scripts/ptx

install: build ## install the tools, their man pages and completions under PREFIX (default: /usr/local)
	@scripts/install $(or $(PREFIX),/usr/local)

test: ## run every test; PKG=./pkg/stream for one package
	@scripts/deps --quiet
	@scripts/onnxruntime --quiet
	@$(MAKE) --no-print-directory go-test

.PHONY: go-test
go-test:
	@$(GO) test $(PKG)

race: ## run the tests of the concurrent packages under the race detector
	@$(GO) test -race -short ./pkg/cli ./pkg/encode ./pkg/kernel/... ./pkg/op ./pkg/valuation ./pkg/train ./cmd/...

fuzz: ## fuzz every decoder for FUZZTIME each (default: 10s)
	@scripts/fuzz $(or $(FUZZTIME),10s)

bench: ## run the benchmarks, then the training step and mm-encode in turns with PyTorch and PIL where they are; PKG=./pkg/kernel/cpu for one package
	@$(GO) test -run '^$$' -bench . -benchmem $(PKG)
	@if [[ "$(PKG)" != ./... ]]; then :; elif [[ -x /usr/bin/python3 ]]; then scripts/bench/run && scripts/bench/audio-visual && scripts/bench/encode && ROWS=10000 scripts/bench/valuation 2; else echo "bench: /usr/bin/python3 is not here: no comparison with Python" >&2; fi

lint: ## gofmt, go vet in every build, staticcheck, go mod tidy
	@scripts/lint

man: build ## make docs/man and completions from the flag definitions
	@scripts/man

man-check: build ## fail where docs/man or completions differ from the flag definitions
	@scripts/man --check

demo: build ## make data, train the three methods, and show what valuation found, in OUT (default: demo-out)
	@PATH="$(CURDIR)/bin:$$PATH" scripts/demo --out "$(OUT)"

experiment: build ## run or go on with METHOD (baseline, sample-level, modality-level) on TRAIN and TEST, in experiments/NAME
	@[[ -n "$(TRAIN)" && -n "$(TEST)" ]] || { echo "usage: make experiment METHOD=$(METHOD) SEED=$(SEED) TRAIN=FILE TEST=FILE [VALIDATE=FILE] [NAME=$(NAME)] [OPTIONS='--epochs 30']" >&2; exit 2; }
	@PATH="$(CURDIR)/bin:$$PATH" scripts/$(METHOD) --train "$(TRAIN)" --test "$(TEST)" $(if $(VALIDATE),--validate "$(VALIDATE)") \
		--seed $(SEED) --out experiments/$(NAME) $(OPTIONS)

check: ## all that .ci/run does
	@.ci/run

clean: ## remove what make made: bin, demo-out
	@rm -rf bin build demo-out
