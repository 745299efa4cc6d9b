# SPDX-License-Identifier: BSD-3-Clause
# make            build everything         make test   build and run every test
# make demo       a whole sale, with books make lint   formatting and static checks
# make deps       install what is missing
#
# Variants live side by side: SANITIZE=1 builds with ASan and UBSan under build/asan.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.SUFFIXES:

ifeq ($(SANITIZE),1)
BUILD   := build/asan
VARIANT := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else
BUILD   := build/release
VARIANT := -O2 -g
endif

CC       := gcc
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Werror
PACKAGES := libdpdk hiredis liburcu-qsbr jansson yaml-0.1
CFLAGS    = -std=gnu17 -D_GNU_SOURCE $(VARIANT) $(WARNINGS) -I. -Iinclude -MMD -MP \
	    $(shell pkg-config --cflags $(PACKAGES))
LIBS      = $(shell pkg-config --libs $(PACKAGES)) -lpthread -lm
# jemalloc replaces malloc in the whole process: not in sanitized builds.
JEMALLOC := $(if $(filter 1,$(SANITIZE)),,-ljemalloc)

# Files with a main() of their own; everything else is one library.
MAINS   := dataplane/main.c control/flashgatectl.c perf/load/flashgate-load.c
SOURCES := $(filter-out $(MAINS),$(wildcard dataplane/*.c dataplane/*/*.c control/*.c perf/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY := $(BUILD)/libflashgate.a
UNITS   := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))

.PHONY: all units unit clean
all: $(BUILD)/flashgated $(BUILD)/flashgatectl $(BUILD)/flashgate-load

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c $< -o $@

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/flashgated: $(BUILD)/dataplane/main.o $(LIBRARY)
	$(CC) $(VARIANT) -o $@ $^ $(LIBS) $(JEMALLOC)
$(BUILD)/flashgatectl: $(BUILD)/control/flashgatectl.o $(LIBRARY)
	$(CC) $(VARIANT) -o $@ $^ $(LIBS)
$(BUILD)/flashgate-load: $(BUILD)/perf/load/flashgate-load.o $(LIBRARY)
	$(CC) $(VARIANT) -o $@ $^ $(LIBS)

units: $(UNITS)
$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(VARIANT) -o $@ $^ $(LIBS) -lcmocka
unit: units
	@set -e; for test in $(UNITS); do echo "== $$test"; $$test; done

clean:
	rm -rf build

-include $(shell test -d $(BUILD) && find $(BUILD) -name '*.d')
