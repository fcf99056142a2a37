# SPDX-License-Identifier: MIT
#
# mk/check.mk - everything that can be checked without a machine to boot.
#
#   make check          all of it; the parts are targets too:
#   format-check        clang-format 14 on all tracked .c and .h (format: mend)
#   layers ordering     our own gates, scripts/check-*.py
#   host-test           tests/host/*_test.c, gcc with ASan and UBSan
#   tsan                tests/host/*_stress.c, clang with ThreadSanitizer
#   fuzz-ext4-short     some thousand spoilt volumes (mk/crash.mk)
#   model               tests/model/, with spin
#   clang-build         the kernel's C with clang
#   sparse cppcheck clang-tidy
#   user-headers        user/ with the C headers of Debian 13, which are others
#   analyze             clang's static analyzer: minutes, so not part of check
#
# Wants from the Makefile: O (build directory), KCFLAGS, KSRC (the kernel's C
# files).  Each file is checked again only when it or a header of it changed.

CHECK_Q := $(if $(filter-out 0,$(V)),,@)

# Debian 12's; Debian 13 has only later ones, and format-check is then left out.
have	     = $(shell command -v $(1) 2>/dev/null)
CLANG	     := $(or $(call have,clang-14),clang)
CLANG_FORMAT := $(or $(call have,clang-format-14),true)
CLANG_TIDY   := $(or $(call have,clang-tidy-14),clang-tidy)
HOSTCC	     ?= gcc
HOST_PYTHON  := python3

CHECK_STATIC := format-check layers ordering
CHECK_RUN    := model host-test tsan fuzz-ext4-short
CHECK_LINT   := clang-build sparse cppcheck clang-tidy user-headers
CHECK_PARTS  := $(CHECK_STATIC) $(CHECK_LINT) $(CHECK_RUN)

.PHONY: check analyze format $(CHECK_PARTS)

# In parallel, each part's output in one piece, and all of them even when one
# fails.
check:
	+$(CHECK_Q)$(MAKE) --no-print-directory -k -O -j$$(nproc) $(CHECK_PARTS)

# ---- Gates ------------------------------------------------------------------

# Names the files; `make format` mends them.
format-check:
	$(CHECK_Q)bad=$$(git ls-files '*.c' '*.h' | xargs -r $(CLANG_FORMAT) \
		--dry-run -Werror 2>&1 | sed -n 's/^\([^:]*\):.* error: .*/\1/p' | \
		sort | uniq -c); \
	if [ -n "$$bad" ]; then echo 'not clang-formatted (lines, file):'; \
		echo "$$bad"; exit 1; else echo 'format: ok'; fi

format:
	$(CHECK_Q)git ls-files '*.c' '*.h' | xargs -r $(CLANG_FORMAT) -i

layers ordering:
	$(CHECK_Q)$(HOST_PYTHON) scripts/check-$@.py .

# ---- The kernel under other compilers and checkers --------------------------

# What clang needs and what it does not know: options, and extensions that its
# assembler has anyway.
CLANG_FLAGS = --target=riscv64-unknown-elf \
	$(subst _zicsr_zifencei,,$(filter-out $(NOT_CLANG),$(KCFLAGS))) \
	$(KCFLAGS_$(subst /,_,$*))
NOT_CLANG   := -fconserve-stack -fno-allow-store-data-races \
	-fno-tree-loop-distribute-patterns -mstrict-align -fanalyzer \
	-mno-riscv-attribute -fno-ipa-% --param% -falign-% -Wlogical-op \
	-Wduplicated-% -Wjump-misses-init -Wno-maybe-uninitialized \
	-Wstringop-% -Wno-stringop-% -msave-restore -mno-save-restore \
	-fno-stack-clash-protection -Wold-style-declaration -Wtrampolines
# Sparse and cppcheck: the macros only, and the word size.
SRC_MACROS  = $(filter -D% -I%,$(KCFLAGS)) -D__riscv -D__riscv_xlen=64

CLANG_OBJ  = $(patsubst %.c,$(O)/clang/%.o,$(KSRC))
lint_ok	   = $(patsubst %.c,$(O)/lint/%.$(1),$(KSRC))

$(O)/clang/%.o: %.c
	$(CHECK_Q)mkdir -p $(@D)
	$(CHECK_Q)$(CLANG) $(CLANG_FLAGS) -MMD -MP -c $< -o $@

# The object knows the headers, so it says when to look again.
$(O)/lint/%.sparse: %.c $(O)/clang/%.o
	$(CHECK_Q)mkdir -p $(@D)
	$(CHECK_Q)sparse -std=gnu11 -m64 -Wsparse-error -Wno-decl \
		-Wno-shift-count-negative -Wno-shift-count-overflow \
		-Wno-declaration-after-statement $(SRC_MACROS) $< && touch $@

# Statement expressions confuse it, and a section's start and end symbol are two
# objects to it.
CPPCHECK_NOT := $(addprefix --suppress=,syntaxError internalAstError \
	preprocessorErrorDirective comparePointers subtractPointers \
	normalCheckLevelMaxBranches)

$(O)/lint/%.cppcheck: %.c $(O)/clang/%.o
	$(CHECK_Q)mkdir -p $(@D)
	$(CHECK_Q)cppcheck --quiet --std=c11 --platform=unix64 \
		--enable=warning,portability --inline-suppr \
		$(CPPCHECK_NOT) \
		--error-exitcode=1 --max-configs=1 $(SRC_MACROS) $< && touch $@

# .clang-tidy asks for the analyzer too; it takes twenty times longer than all
# the rest.
TIDY_CHECKS := --checks=-clang-analyzer-*
ANALYZER_CHECKS := --checks=-*,clang-analyzer-*,$(shell sed -n \
	's/^ *\(-clang-analyzer.*\),$$/\1/p' .clang-tidy | paste -sd,)
run_tidy = $(CLANG_TIDY) --quiet $(1) $< -- $(CLANG_FLAGS) 2>/dev/null

$(O)/lint/%.tidy: %.c $(O)/clang/%.o .clang-tidy
	$(CHECK_Q)mkdir -p $(@D)
	$(CHECK_Q)$(call run_tidy,$(TIDY_CHECKS)) && touch $@

$(O)/lint/%.analyze: %.c $(O)/clang/%.o .clang-tidy
	$(CHECK_Q)mkdir -p $(@D)
	$(CHECK_Q)$(call run_tidy,$(ANALYZER_CHECKS)) && touch $@

clang-build: $(CLANG_OBJ)
	@echo 'clang-build: $(words $^) files'

sparse: $(call lint_ok,sparse)
	@echo 'sparse: $(words $^) files'

cppcheck: $(call lint_ok,cppcheck)
	@echo 'cppcheck: $(words $^) files'

clang-tidy: $(call lint_ok,tidy)
	@echo 'clang-tidy: $(words $^) files'

# The release's headers in front of this machine's own: a type or a name that is ours
# may have become theirs.
NEWER_HEADERS := $(or $(ANTLER_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/antler)/headers/usr/include
USER_SRC := $(wildcard user/tests/*.c user/bench/*.c user/tools/*.c user/powercut/*.c)
USER_HEADERS := $(USER_SRC:%.c=$(O)/lint/%.headers)

$(O)/lint/user/%.headers: user/%.c $(wildcard user/*/*.h)
	$(CHECK_Q)mkdir -p $(@D)
	$(CHECK_Q)$(UCC) $(USER_CFLAGS) -Werror -fsyntax-only -nostdinc \
		-isystem $$($(UCC) -print-file-name=include) \
		-isystem $(NEWER_HEADERS) \
		-isystem $(NEWER_HEADERS)/riscv64-linux-gnu $< && touch $@

user-headers: $(USER_HEADERS)
	@echo 'user-headers: $(words $^) files'

analyze: $(call lint_ok,analyze)
	@echo 'analyze: $(words $^) files'

-include $(patsubst %.o,%.d,$(wildcard $(CLANG_OBJ)))

# ---- Programs for the host --------------------------------------------------

# tests/host/README.md says how a test names its sources.
HOST_TESTS  := $(patsubst tests/host/%.c,%,$(wildcard tests/host/*_test.c))
HOST_STRESS := $(patsubst tests/host/%.c,%,$(wildcard tests/host/*_stress.c))

HOST_WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wno-unused-parameter
HOST_CFLAGS := -std=gnu11 -g -fno-strict-aliasing -fwrapv $(HOST_WARN) \
	-Itests/host/shim -I. -pthread
ASAN_CFLAGS := $(HOST_CFLAGS) -O1 -fsanitize=address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer
TSAN_CFLAGS := $(HOST_CFLAGS) -O2 -fsanitize=thread

# The words behind "sources:" (or "cflags:") in the head of a test.
head_words = $(shell sed -n \
	'1,20s,.*[*] $(2): *\(.*\),\1,p' tests/host/$(1).c | sed 's,[*]/.*,,')

# A folder, "fs/ext4/", stands for all that is in it.
sources_of = $(foreach w,$(call head_words,$(1),sources),$(if \
	$(filter %/,$(w)),$(sort $(wildcard $(w)*.c)),$(w)))

# $(1) program, $(2) kind (asan or tsan), $(3) compiler and flags
define host_program
$(O)/$(2)/$(1): $(patsubst %.c,$(O)/$(2)/%.o,tests/host/$(1).c \
		$(call sources_of,$(1)))
	$$(CHECK_Q)$(3) $$^ -o $$@ -lcmocka
$(O)/$(2)/tests/host/$(1).o: HOST_EXTRA := $(call head_words,$(1),cflags)
endef

$(foreach t,$(HOST_TESTS),$(eval \
	$(call host_program,$(t),asan,$(HOSTCC) $(ASAN_CFLAGS))))
$(foreach t,$(HOST_STRESS),$(eval \
	$(call host_program,$(t),tsan,$(CLANG) $(TSAN_CFLAGS))))

# A thread is aligned, and what a walk over a queue ends with, made of its head, is not.
$(O)/asan/kernel/relay/%.o: HOST_EXTRA := -fno-sanitize=alignment

$(O)/asan/%.o: %.c
	$(CHECK_Q)mkdir -p $(@D)
	$(CHECK_Q)$(HOSTCC) $(ASAN_CFLAGS) $(HOST_EXTRA) -DHOST_DIR='"$(O)/asan"' \
		-MMD -MP -c $< -o $@

$(O)/tsan/%.o: %.c
	$(CHECK_Q)mkdir -p $(@D)
	$(CHECK_Q)$(CLANG) $(TSAN_CFLAGS) $(HOST_EXTRA) -MMD -MP -c $< -o $@

# What cannot be built is run, and counted, as a failure; the others go on.
host-test: HOST_PROGRAMS := $(HOST_TESTS:%=$(O)/asan/%)
tsan: HOST_PROGRAMS := $(HOST_STRESS:%=$(O)/tsan/%)
host-test tsan:
	+$(CHECK_Q)$(MAKE) --no-print-directory -k $(HOST_PROGRAMS) || true
	$(CHECK_Q)$(HOST_PYTHON) tests/host/run.py $(HOST_PROGRAMS)

.PRECIOUS: $(O)/asan/%.o $(O)/tsan/%.o $(O)/clang/%.o

-include $(shell find $(O)/asan $(O)/tsan -name '*.d' 2>/dev/null)

# ---- Models -----------------------------------------------------------------

model:
	$(CHECK_Q)O=$(O) tests/model/run.sh
