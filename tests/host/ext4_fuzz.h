/* SPDX-License-Identifier: MIT */
/*
 * tests/host/ext4_fuzz.h - do everything to a volume that may be nonsense.
 *
 * Shared by the random test (ext4_fuzz_test.c) and the guided one
 * (ext4_libfuzz.c).  Any error will do.
 */
#ifndef TESTS_HOST_EXT4_FUZZ_H
#define TESTS_HOST_EXT4_FUZZ_H

#include <tests/host/fake/ext4_rig.h>

/* Mount, walk, read and, if @change, write, truncate, rename, remove; unmount. */
void fuzz_use_volume(struct rig *r, bool change, const char *options);

/* A clean volume: all but the contents of files.  @found is told of each block
 * that was read and what it is (enum ext4_kind). */
void fuzz_read_metadata(struct rig *r,
			void (*found)(void *ctx, u64 blk, u32 size, u32 kind),
			void *ctx);

#endif /* TESTS_HOST_EXT4_FUZZ_H */
