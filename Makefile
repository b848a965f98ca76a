# SPDX-License-Identifier: Apache-2.0
#
#   make            gets what is missing, builds build/weir and build/src/libweir.so
#   make demo       and answers a question over a real data set
#   make demo-server serves it over HTTP and Flight SQL
#   make check      runs all tests
#   make check-asan runs the C tests under AddressSanitizer and UndefinedBehaviorSanitizer
#   make fuzz       sends hostile inputs under these two: SECONDS=60 for each of TARGETS=
#   make install    PREFIX=/usr/local DESTDIR=
#   make help       lists the rest
#
# Options: PROFILE=dist (the engine with link-time optimization), BUILD=directory, JOBS=n, V=1
# (commands).

BUILD ?= build$(if $(filter dist,$(PROFILE)),-dist)
PROFILE ?= release
PREFIX ?= /usr/local
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

setup := scripts/setup
venv = $(shell scripts/venv build)
meson = $(venv)/bin/meson
ninja = PATH=$(venv)/bin:$$PATH $(venv)/bin/ninja -C $(1) -j $(JOBS) $(if $(V),-v)
configure = scripts/configure $(1) $(PROFILE)

.PHONY: all demo demo-server check check-asan fuzz install dist wheel bench bench-duality bench-databases bench-doors bench-python bench-partitions bench-objectstore bindings bindings-check format \
	format-check symbols clean help

all: build
	@echo
	@echo "Built $(BUILD)/weir. Try:"
	@echo "    $(BUILD)/weir sql \"SELECT 'hello' AS greeting\""
	@echo "    make demo        # a real data set"
	@echo "    make check       # all tests"

.PHONY: build
build:
	@$(setup)
	@$(call configure,$(BUILD))
	@$(call ninja,$(BUILD))

demo: build
	@scripts/demo $(BUILD)

demo-server: build
	@scripts/demo-server $(BUILD)

check: build
	@scripts/check $(BUILD)

check-asan:
	@$(setup)
	@$(call configure,$(BUILD)-asan) -Db_sanitize=address,undefined -Db_lundef=false
	@$(call ninja,$(BUILD)-asan)
	@scripts/check --c-only $(BUILD)-asan

fuzz:
	@$(setup)
	@$(call configure,$(BUILD)-asan) -Db_sanitize=address,undefined -Db_lundef=false
	@$(call ninja,$(BUILD)-asan)
	@scripts/fuzz $(BUILD)-asan $(or $(SECONDS),60) $(TARGETS)

install: build
	@$(meson) configure $(BUILD) --prefix "$(abspath $(PREFIX))"
	@$(call ninja,$(BUILD)) >/dev/null
	@$(meson) install -C $(BUILD) --no-rebuild $(if $(DESTDIR),--destdir "$(abspath $(DESTDIR))")

dist: build
	@scripts/dist
	@scripts/wheel --portable $(BUILD)

wheel: build
	@scripts/wheel --portable $(BUILD)

bench: build
	@scripts/bench run $(BUILD) $(BENCH)

bench-duality: build
	@scripts/bench duality $(BUILD) $(BENCH)

bench-databases: build
	@scripts/bench databases $(BUILD) $(BENCH)

bench-doors: build
	@scripts/bench doors $(BUILD) $(BENCH)

bench-python: build
	@scripts/bench python $(BUILD) $(BENCH)

bench-partitions: build
	@scripts/bench python_partitions $(BUILD) $(BENCH)

bench-objectstore: build
	@scripts/bench objectstore $(BUILD) $(BENCH)

bindings:
	@scripts/bindings

bindings-check:
	@scripts/bindings --check

symbols: build
	@scripts/check-symbols $(BUILD)/src/libweir.so

format:
	@scripts/format

format-check:
	@scripts/format --check

clean:
	rm -rf $(BUILD) $(BUILD)-asan dist

help:
	@sed -n 's/^#   //p' Makefile
	@echo "make bench          TPC-H and start-up beside the datafusion and duckdb packages"
	@echo "make bench-duality  derived tables beside encoding them, and schemas without data"
	@echo "make bench-databases tables in databases beside their drivers, connectorx and DuckDB"
	@echo "make bench-doors    the doors beside a Flight server on pyarrow"
	@echo "make bench-python   data sources in Python beside the duckdb, datafusion and pysail packages"
	@echo "make bench-partitions  what a partition of a Python source costs, by how many there are"
	@echo "make bench-objectstore objects of S3 beside the duckdb, datafusion and polars packages"
	@echo "make bindings       writes engine/src/bindings.rs anew from src/engine/engine.h"
	@echo "make bindings-check compares it with the one checked in"
	@echo "make symbols        compares what libweir.so exports with scripts/symbols.txt"
	@echo "make format         formats the C files"
	@echo "make dist           dist/weir-VERSION.tar.gz from the committed tree, and the wheel"
	@echo "make wheel          dist/weir-VERSION-....whl, the Python package with this build in it"
	@echo "make clean          removes the build (the engine's cache outside the clone stays)"
