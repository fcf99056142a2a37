/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/world_int.h - what the files of the fake kernel share.
 */
#ifndef TESTS_HOST_FAKE_WORLD_INT_H
#define TESTS_HOST_FAKE_WORLD_INT_H

#include <lib/types.h>

extern u64 world_now_ns;

/* End one request of some disk; false: there is none. */
bool world_complete_one(void);

#endif /* TESTS_HOST_FAKE_WORLD_INT_H */
