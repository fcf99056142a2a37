/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/hostfs.h - the host's files, for those who include fs/vfs.h
 * and so cannot include <sys/stat.h>.
 */
#ifndef TESTS_HOST_FAKE_HOSTFS_H
#define TESTS_HOST_FAKE_HOSTFS_H

#include <stdint.h>

/* lstat; fails the test when there is no such file. */
void host_stat(const char *path, uint32_t *mode, int64_t *mtime);

/* Names in a directory but the dots. */
void host_list(const char *path, void (*fn)(void *ctx, const char *name),
	       void *ctx);

#endif /* TESTS_HOST_FAKE_HOSTFS_H */
