# SPDX-License-Identifier: BSD-3-Clause
# make            build everything             make test   build and run every test
# make demo       a whole sale, with its books make lint   formatting and static checks
# make bench      the benchmark, 25 minutes      make bench-quick   2 minutes of it
# make fuzz       fuzzing, SECONDS=60 in all   make coverage   what tests reach of the main parts
# make deps       install what is missing      make unit   only the unit tests
# make man        manual pages and completion of flashgatectl
# make install    under DESTDIR and PREFIX (/usr/local); make uninstall takes it away again
#
# Variants live side by side: SANITIZE=1 builds with ASan and UBSan under build/asan, FUZZ=1 the same
# with clang, for libFuzzer, under build/fuzz, SHARED=1 with drivers loaded at start under build/shared, COVERAGE=1 with clang's counters under build/coverage,
# TSAN=1 with TSan under build/tsan, FAULTS=1 with the faults of dataplane/faults.h under
# build/faults, and SIMULATED=1 with those and small frames, for the simulator, under
# build/simulated.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:

ifeq ($(SANITIZE),1)
BUILD   := build/asan
VARIANT := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else ifeq ($(TSAN),1)
BUILD   := build/tsan
VARIANT := -O1 -g -fsanitize=thread -Wno-tsan -DRTE_USE_C11_MEM_MODEL=1
else ifeq ($(SIMULATED),1)
BUILD   := build/simulated
VARIANT := -O1 -g -DFG_FAULTS -DFG_SMALL_FRAMES
else ifeq ($(FAULTS),1)
BUILD   := build/faults
VARIANT := -O2 -g -DFG_FAULTS
else ifeq ($(COVERAGE),1)
BUILD   := build/coverage
VARIANT := -O1 -g -fprofile-instr-generate -fcoverage-mapping
else ifeq ($(FUZZ),1)
BUILD   := build/fuzz
VARIANT := -O1 -gline-tables-only -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	   -fno-omit-frame-pointer -DFG_SMALL_FRAMES
else
BUILD   := $(if $(filter 1,$(SHARED)),build/shared,build/release)
VARIANT := -O2 -g
endif

CC       := $(if $(filter 1,$(FUZZ) $(COVERAGE)),clang,gcc)
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Werror \
	    $(if $(filter gcc,$(CC)),-Wno-format-truncation)
# DPDK's drivers that are linked into the engine and the generator, which is faster than loading them. Units,
# and the variants but for release and simulated, load whatever is installed.
PMDS := af_packet af_xdp e1000 ena i40e iavf ice igc ixgbe memif mlx5 null tap vhost virtio vmxnet3
PACKAGES := libdpdk hiredis liburcu-qsbr jansson yaml-0.1 libmicrohttpd libseccomp
# pkg-config is asked once, when first needed: `make deps` must work before it is installed.
PACKAGE_CFLAGS = $(eval PACKAGE_CFLAGS := $$(shell pkg-config --cflags $(PACKAGES)))$(PACKAGE_CFLAGS)
PACKAGE_LIBS   = $(eval PACKAGE_LIBS := $$(shell pkg-config --libs $(PACKAGES)))$(PACKAGE_LIBS)
# What those need of DPDK and of other libraries.
DPDK_DRIVERS   := $(PMDS:%=net_%) common_iavf common_mlx5 bus_auxiliary bus_pci bus_vdev mempool_ring
DPDK_LIBRARIES := bpf cryptodev dmadev eal ethdev gso hash ip_frag kvargs mbuf mempool meter net pci rcu ring \
		  security telemetry timer vhost
DPDK_STATIC    := -Wl,--whole-archive $(DPDK_DRIVERS:%=-l:librte_%.a) -Wl,--no-whole-archive \
		  -Wl,--start-group $(DPDK_LIBRARIES:%=-l:librte_%.a) -Wl,--end-group \
		  -lxdp -lbpf -lelf -lz -lnuma -lbsd -lfdt -latomic -lmlx5 -libverbs -ldl
OTHER_LIBS      = $(eval OTHER_LIBS := $$(shell pkg-config --libs $(filter-out libdpdk,$(PACKAGES))))$(OTHER_LIBS)
LANGUAGE  := -std=gnu17 -D_GNU_SOURCE -I. -Iinclude
CFLAGS     = $(LANGUAGE) $(VARIANT) $(WARNINGS) -MMD -MP $(PACKAGE_CFLAGS)
LIBS       = $(PACKAGE_LIBS) -lmd -lpthread -lm
FAST_LIBS  = $(if $(filter 1,$(SHARED) $(SANITIZE) $(TSAN) $(FAULTS) $(COVERAGE)),$(LIBS), \
		  $(DPDK_STATIC) $(OTHER_LIBS) -lmd -lpthread -lm)
# What only tests run is linked by gold, in a tenth of the time; it warns of what clang makes.
QUICKLY   := $(if $(filter gcc,$(CC)),-fuse-ld=gold)
# Only what has flashgatectl's commands in it needs the terminal's library.
TERMINAL   = $(eval TERMINAL := $$(shell pkg-config --libs ncursesw))$(TERMINAL)
# jemalloc replaces malloc in the whole process: not in sanitized builds.
JEMALLOC := $(if $(filter 1,$(SANITIZE) $(TSAN)),,-ljemalloc)

# Files with a main() of their own; everything else is one library.
BENCHES := gauge redis_peer
MAINS   := dataplane/main.c control/flashgatectl.c perf/load/flashgate-load.c \
	   perf/check/flashgate-check.c control/make-docs.c $(BENCHES:%=perf/bench/%.c)
SOURCES := $(filter-out $(MAINS),$(wildcard dataplane/*.c dataplane/*/*.c control/*.c control/*/*.c perf/*/*.c))
ifeq ($(SIMULATED),1)
# What the simulator has no use for is not built: ports, workers' loops, configuration, the generator, the CLI.
SOURCES := $(filter-out dataplane/net/% dataplane/receive.c dataplane/send.c dataplane/worker.c dataplane/loop_capture.c \
	   dataplane/parts.c dataplane/process.c dataplane/workers.c dataplane/redis.c dataplane/orders/redis_% \
	   dataplane/orders/delivery_thread.c dataplane/orders/disk_files.c control/config/config% control/doctor/% \
	   $(addprefix control/figures/,help.c metrics% telemetry.c) control/cli/% control/top/% \
	   control/journal/% control/audit/% perf/bench/% perf/load/% perf/check/report.c perf/check/history.c,$(SOURCES))
endif
ifeq ($(FUZZ),1)
# Nor what no fuzz target reaches.
SOURCES := $(filter-out dataplane/net/eal.c dataplane/net/port.c dataplane/net/steering.c dataplane/receive.c dataplane/send.c \
	   dataplane/worker.c dataplane/workers.c dataplane/parts.c dataplane/process.c dataplane/loop_capture.c \
	   dataplane/faults.c $(addprefix control/figures/,help.c metrics.c telemetry.c text.c) \
	   $(addprefix control/journal/,copy% dump.c help.c names.c report.c stat.c takeover% verify.c) \
	   $(filter-out control/cli/list%,$(wildcard control/cli/*.c)) \
	   control/top/% control/doctor/% control/audit/% \
	   $(filter-out perf/check/history.c,$(wildcard perf/check/*.c)) \
	   $(addprefix perf/load/,goodput.c hostile% items.c option% port% report% wire% \
	      play% find.c setup.c stateless_port.c stateless_report.c hgrm.c effort.c),$(SOURCES))
endif
ifeq ($(FAULTS),1)
# Only what has faults in it is built anew. The rest is that of the release.
$(if $(shell grep -ls 'faults\.h"' dataplane/*.h dataplane/*/*.h control/*.h control/*/*.h include/flashgate/*.h), \
    $(error faults.h belongs in .c files: by them it is known what differs with FAULTS=1))
SOURCES := $(shell grep -ls 'faults\.h"' $(SOURCES))
RELEASE := build/release/dataplane/main.o build/release/libflashgate.a
endif
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY := $(BUILD)/libflashgate.a
UNITS   := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))

.PHONY: bench bench-quick bench-programs
.PHONY: all man install uninstall demo units unit fuzzers fuzz fuzz-canaries covered coverage sim simulator test models-long test-faults test-faults-short lint tidy deps clean
all: $(BUILD)/flashgated $(BUILD)/flashgatectl $(BUILD)/flashgate-load $(BUILD)/flashgate-check

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  CC   $@'
	@$(CC) $(CFLAGS) -c $< -o $@

# The Redis function is embedded by the assembler, which leaves no trace in the .d file.
$(BUILD)/dataplane/orders/redis_link.o: dataplane/orders/append.lua

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	@echo '  AR   $@'
	@ar rcs $@ $^

# With FAULTS=1: objects come first, so those of the same name in the release's library are left there.
$(BUILD)/flashgated: $(if $(RELEASE),$(OBJECTS) $(RELEASE),$(BUILD)/dataplane/main.o $(LIBRARY))
	@echo '  LD   $@'
	@$(CC) $(VARIANT) -o $@ $^ $(FAST_LIBS) $(JEMALLOC)
.PHONY: release
release:
	@$(MAKE) --no-print-directory FAULTS= $(RELEASE)
$(RELEASE): release
$(BUILD)/flashgatectl: $(BUILD)/control/flashgatectl.o $(LIBRARY)
	@echo '  LD   $@'
	@$(CC) $(VARIANT) -o $@ $^ $(LIBS) $(TERMINAL)
$(BUILD)/flashgate-load: $(BUILD)/perf/load/flashgate-load.o $(LIBRARY)
	@echo '  LD   $@'
	@$(CC) $(VARIANT) -o $@ $^ $(FAST_LIBS)
$(BUILD)/flashgate-check: $(BUILD)/perf/check/flashgate-check.o $(LIBRARY)
	@echo '  LD   $@'
	@$(CC) $(VARIANT) -o $@ $^ $(LIBS)

# Manual pages and completion, from the tables of the binaries: build/man/NAME.SECTION and
# build/completion/flashgatectl, of whichever variant was built last.
MAKE_DOCS := $(BUILD)/make-docs
$(MAKE_DOCS): $(BUILD)/control/make-docs.o $(LIBRARY)
	@echo '  LD   $@'
	@$(CC) $(VARIANT) -o $@ $^ $(LIBS) $(TERMINAL)
PAGES := $(patsubst docs/man/%.scd,build/man/%,$(wildcard docs/man/*.scd))
man: $(PAGES) build/completion/flashgatectl
build/man/%: docs/man/%.scd $(MAKE_DOCS) $(wildcard conf/*.yaml)
	@mkdir -p $(@D)
	@echo '  MAN  $@'
	@$(MAKE_DOCS) page < $< > $@.scd
	@scdoc < $@.scd > $@
	@rm $@.scd
build/completion/flashgatectl: $(MAKE_DOCS)
	@mkdir -p $(@D)
	@echo '  GEN  $@'
	@$(MAKE_DOCS) completion > $@

# The benchmark's own programs, and the benchmark: docs/benchmarks.md.
bench-programs: $(BENCHES:%=$(BUILD)/bench/%)
$(BUILD)/bench/%: $(BUILD)/perf/bench/%.o $(LIBRARY)
	@mkdir -p $(@D)
	@echo '  LD   $@'
	@$(CC) $(VARIANT) -o $@ $^ $(LIBS)
bench: FORM := full
bench-quick: FORM := quick
bench bench-quick: deps
	@$(MAKE) --no-print-directory -s all bench-programs
	@perf/bench/bench.py --build $(BUILD) --form $(FORM) --out build/bench \
	    --compiler '$(CC)' --flags '$(strip $(CFLAGS))'

# What the benchmark records when it is not make that starts it.
.PHONY: flags
flags:
	@echo '$(strip $(CFLAGS))'

# --- installing: one list of "FILE mode directory name", which uninstall goes by, too ---
PREFIX  := /usr/local
DESTDIR :=
SHARE   := $(PREFIX)/share
INSTALLED = $(foreach file,flashgatectl flashgate-load flashgate-check, \
	       $(BUILD)/$(file):0755:$(PREFIX)/bin/$(file)) \
	    $(BUILD)/flashgated:0755:$(PREFIX)/sbin/flashgated \
	    $(BUILD)/flashgated.service:0644:$(PREFIX)/lib/systemd/system/flashgated.service \
	    conf/flashgate.sysusers:0644:$(PREFIX)/lib/sysusers.d/flashgate.conf \
	    conf/flashgate.tmpfiles:0644:$(PREFIX)/lib/tmpfiles.d/flashgate.conf \
	    $(foreach file,$(filter-out %.service %.sysusers %.tmpfiles,$(wildcard conf/*)), \
	       $(file):0644:$(SHARE)/flashgate/$(file)) \
	    $(foreach file,$(wildcard docs/*.md) README.md LICENSE, \
	       $(file):0644:$(SHARE)/doc/flashgate/$(notdir $(file))) \
	    $(foreach file,$(PAGES), \
	       $(file):0644:$(SHARE)/man/man$(subst .,,$(suffix $(file)))/$(notdir $(file))) \
	    $(foreach file,build/completion/flashgatectl, \
	       $(file):0644:$(SHARE)/bash-completion/completions/$(notdir $(file)))

# Made anew each time: another PREFIX may be wanted.
.PHONY: $(BUILD)/flashgated.service
$(BUILD)/flashgated.service: conf/flashgated.service
	@sed 's|^ExecStart=/usr/sbin/|ExecStart=$(PREFIX)/sbin/|' $< > $@

install: all man $(BUILD)/flashgated.service
	@for entry in $(INSTALLED); do \
	    IFS=: read -r file mode path <<< "$$entry"; \
	    install -D -m "$$mode" "$$file" "$(DESTDIR)$$path" || exit 1; \
	    echo "  INSTALL  $(DESTDIR)$$path"; \
	done

# Configuration, keys and logs are the operator's and stay.
uninstall:
	@for entry in $(INSTALLED); do \
	    IFS=: read -r file mode path <<< "$$entry"; \
	    rm -f "$(DESTDIR)$$path"; \
	done; \
	rmdir "$(DESTDIR)$(SHARE)/flashgate/conf" "$(DESTDIR)$(SHARE)/flashgate" \
	    "$(DESTDIR)$(SHARE)/doc/flashgate" 2> /dev/null || true

# A whole sale with its books: what is missing is installed, what has changed is built.
demo: deps
	@$(MAKE) --no-print-directory -s all
	@BUILD=$(BUILD) perf/demo.sh

units: $(UNITS)
# What a unit test itself does takes no time: only what it tests is optimised.
$(BUILD)/tests/unit/%.o: VARIANT += -O0
$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(LIBRARY)
	@mkdir -p $(@D)
	@echo '  LD   $@'
	@$(CC) $(VARIANT) $(QUICKLY) -o $@ $^ $(LIBS) $(TERMINAL) -lcmocka
# A port of their own: tests/unit/steered_port.h.
$(BUILD)/unit/test_steering $(BUILD)/unit/test_steering_workers: LIBS += -lrte_net_ring

# The simulator: its files, and the library with faults and small frames.
SIMULATOR := $(BUILD)/sim/flashgate-sim
$(SIMULATOR): $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/sim/*.c)) $(LIBRARY)
	@mkdir -p $(@D)
	@echo '  LD   $@'
	@$(CC) $(VARIANT) $(QUICKLY) -o $@ $^ $(LIBS)
simulator: $(SIMULATOR)

# Fuzzing: tests/fuzz/fuzz_NAME.c is a target, and tests/fuzz/corpus/NAME what it begins with.
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/fuzzers/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzzers: $(FUZZERS)
$(BUILD)/fuzzers/%: $(BUILD)/tests/fuzz/fuzz_%.o $(LIBRARY)
	@mkdir -p $(@D)
	@echo '  LD   $@'
	@$(CC) $(VARIANT) -fsanitize=fuzzer -o $@ $^ $(LIBS) -lcmocka

# A target with the changed copy of one file, see tests/fuzz/canaries.
$(BUILD)/canaries/%.o: $(BUILD)/canaries/%.c
	@$(CC) $(CFLAGS) -c $< -o $@
$(BUILD)/canaries/%: $(BUILD)/canaries/%.o $(BUILD)/tests/fuzz/fuzz_%.o $(LIBRARY)
	@echo '  LD   $@'
	@$(CC) $(VARIANT) -fsanitize=fuzzer -o $@ $^ $(LIBS) -lcmocka

# make fuzz SECONDS=600: so long in all, shared by the targets. What fails is under build/fuzz/failed.
SECONDS := 60
fuzz:
	@tests/fuzz/run.sh long $(SECONDS)
fuzz-canaries:
	@tests/fuzz/run.sh canaries

# What units and corpora reach of the parser, the journal and delivery: tests/fuzz/coverage.py.
COVERED_UNITS := $(filter $(addprefix $(BUILD)/unit/test_,frame% reply% payload% vectors ip config% \
	   option% keys log log_to_redis journal% recovery% event golden disk% memory retention \
	   delivery% streams redis% lane doctor% log_book% sale control_docs docs_commands \
	   engine_recovery),$(UNITS))
covered: $(COVERED_UNITS) fuzzers
	@tests/fuzz/coverage.py $(if $(FILES),--files) $(COVERED_UNITS) $(FUZZERS)
coverage:
	@$(MAKE) --no-print-directory -s COVERAGE=1 covered

# make sim SEED=1 RUNS=1000; TRACE=1 prints every event, PLANT=NAME breaks one rule of the product.
SEED := 1
RUNS := 100
sim:
	@$(MAKE) --no-print-directory -s SIMULATED=1 simulator
	@$(if $(PLANT),FLASHGATE_PLANT=$(PLANT)) build/simulated/sim/flashgate-sim --seed $(SEED) \
	    --runs $(RUNS) $(if $(TRACE),--trace)

unit: units
	@set -e; for test in $(UNITS); do echo "== $$test"; $$test; done

test:
	@tests/run

# Threads on the real stock, lanes, rings and journal, for TSan: only the objects that they need.
STRESS         := $(patsubst %,$(BUILD)/stress/%,stress_stock stress_stock_planted stress_rings)
STRESS_SOURCES := dataplane/memory.c dataplane/admission/stock.c dataplane/admission/crc32c.c \
	   $(filter-out dataplane/orders/delivery% dataplane/orders/redis% dataplane/orders/batches.c \
	   dataplane/orders/streams.c,$(wildcard dataplane/orders/*.c))
stress: $(STRESS)
$(BUILD)/tests/stress/stress_stock_planted.o: tests/stress/stress_stock.c Makefile
	@mkdir -p $(@D)
	@echo '  CC   $@'
	@$(CC) $(CFLAGS) -DPLANT_RELAXED -c $< -o $@
$(STRESS): $(BUILD)/stress/%: $(BUILD)/tests/stress/%.o $(STRESS_SOURCES:%.c=$(BUILD)/%.o)
	@mkdir -p $(@D)
	@echo '  LD   $@'
	@$(CC) $(VARIANT) $(QUICKLY) -o $@ $^ $(LIBS)

# The models at larger bounds: minutes, and gigabytes of memory (docs/models.md).
models-long:
	@tests/models/run.sh long

# The list of packages is packages.txt. Asks for root only when something is missing.
deps:
	@missing=; for package in $$(sed 's/#.*//' packages.txt); do \
	    dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q ' installed$$' || \
		missing="$$missing $$package"; \
	done; \
	[ -z "$$missing" ] && exit 0; \
	root=; [ $$(id -u) = 0 ] || root=sudo; \
	echo "installing:$$missing"; \
	$$root apt-get -q update && \
	$$root env DEBIAN_FRONTEND=noninteractive \
	    apt-get -qy --no-install-recommends install $$missing

# Faults on the real processes: KILLS=1000 POWER_CUTS=100 make a long run of it. Needs root.
test-faults test-faults-short:
	@$(MAKE) --no-print-directory -s all
	@$(MAKE) --no-print-directory -s FAULTS=1 build/faults/flashgated
	@tests/faults/run.py $(if $(findstring short,$@),--short,--table build/faults.md)

lint:
	@tests/lint

# clang-tidy, a stamp for each file: only what has changed is looked at again.
TIDIED := $(patsubst %.c,build/tidy/%.ok,$(SOURCES) $(wildcard $(MAINS) tests/*/*.c))
tidy: $(TIDIED)
build/tidy/%.ok: %.c .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet --warnings-as-errors='*' $< -- $(LANGUAGE) $(PACKAGE_CFLAGS) \
	    2> $@.stderr || { cat $@.stderr; exit 1; }
	@$(CC) $(LANGUAGE) $(PACKAGE_CFLAGS) -MM -MP -MT $@ -MF $(@:.ok=.d) $<
	@touch $@

clean:
	rm -rf build

-include $(shell find $(BUILD) build/tidy -name '*.d' 2>/dev/null)
