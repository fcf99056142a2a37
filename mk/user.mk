# SPDX-License-Identifier: MIT
#
# mk/user.mk - build user/: static riscv64 Linux programs that run on Antler
# and on Linux alike.  Sets USER_BINS; they land in $(O)/user/.
#
# user/powercut/ is one program, for the guest and for the host.
# user/tools/*.c are for users: hartstat, relay-trace ...
# user/tests/*.c but fuzz.c and main.c are suites of the one program utest.

ifndef USER_DIR		# may be included more than once
UCC ?= riscv64-linux-gnu-gcc
USER_DIR := $(O)/user
USER_CFLAGS := -std=gnu11 -O2 -g0 -Wall -Wextra -Wshadow -Wno-unused-parameter \
	-Wno-stringop-overflow -Wno-stringop-overread -Wno-nonnull \
	-Wno-cast-function-type -Wno-infinite-recursion \
	-Wstrict-prototypes -Wmissing-prototypes -static -pthread -Iuser/tests

USER_SUITES := $(sort $(filter-out user/tests/fuzz.c,$(wildcard user/tests/*.c)))
USER_BENCH := $(sort $(wildcard user/bench/*.c))
USER_POWERCUT := $(sort $(wildcard user/powercut/*.c))
USER_TOOLS := $(sort $(wildcard user/tools/*.c))
tool_name = $(subst _,-,$(patsubst user/tools/%.c,%,$(1)))
USER_BINS := $(USER_DIR)/utest $(USER_DIR)/fuzz $(USER_DIR)/powercut \
	$(patsubst user/bench/%.c,$(USER_DIR)/%,$(USER_BENCH)) \
	$(addprefix $(USER_DIR)/,$(call tool_name,$(USER_TOOLS)))

user_link = $(Q)$(UCC) $(USER_CFLAGS) -s -o $@

user: $(USER_BINS)

$(USER_DIR):
	@mkdir -p $@

$(O)/user-obj/%.o: user/tests/%.c $(wildcard user/tests/*.h)
	@mkdir -p $(@D)
	$(call say,UCC,$<)
	$(Q)$(UCC) $(USER_CFLAGS) -c -o $@ $<

$(USER_DIR)/utest: $(patsubst user/tests/%.c,$(O)/user-obj/%.o,$(USER_SUITES)) \
		| $(USER_DIR)
	$(call say,ULD,$@)
	$(user_link) $^

$(USER_DIR)/fuzz: user/tests/fuzz.c | $(USER_DIR)
	$(call say,ULD,$@)
	$(user_link) $<

$(USER_DIR)/powercut: $(USER_POWERCUT) user/powercut/powercut.h | $(USER_DIR)
	$(call say,ULD,$@)
	$(user_link) $(USER_POWERCUT)

# The same for the host, which looks at images with it.
$(O)/powercut: $(USER_POWERCUT) user/powercut/powercut.h
	$(call say,HOSTLD,$@)
	$(Q)$(or $(HOSTCC),gcc) -std=gnu11 -O2 -Wall -Wextra -o $@ $(USER_POWERCUT)

# relay_trace.c is relay-trace.
define tool_rule
$(USER_DIR)/$(call tool_name,$(1)): $(1) | $(USER_DIR)
	$$(call say,ULD,$$@)
	$$(user_link) $$<
endef
$(foreach t,$(USER_TOOLS),$(eval $(call tool_rule,$(t))))

$(USER_DIR)/%: user/bench/%.c user/bench/bench.h | $(USER_DIR)
	$(call say,ULD,$@)
	$(user_link) $<

.PHONY: user
endif
