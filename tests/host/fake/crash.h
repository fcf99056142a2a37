/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/crash.h - work on a volume, and what a crash may leave of it.
 *
 * A worker changes files in a directory of its own and notes all that he does
 * with the moments (events of the disk's trace) at which he began and ended.
 * After a crash at some moment
 *
 *   - the names, types, link counts, modes, attributes and symlinks are those
 *     after some step of his: none that began later, and none before the last
 *     one that an fsync or sync had confirmed;
 *   - each sector of each file is what it was after some step, none before the
 *     last confirmed one, or, where nothing was confirmed, zeroes;
 *   - a file is as long as it was in between.
 */
#ifndef TESTS_HOST_FAKE_CRASH_H
#define TESTS_HOST_FAKE_CRASH_H

#include <tests/host/fake/ext4_rig.h>
#include <tests/host/fake/trace.h>

struct worker;

enum crash_mix {
	MIX_NAMES, /* mostly names */
	MIX_DATA,  /* mostly contents */
	MIX_SYNC,  /* an fsync after nearly everything */
	MIX_SPACE, /* allocation: large and sparse files that come and go */
	MIX_RACE,  /* commits and checkpoints at any time */
	MIX_GROW,  /* the volume becomes larger */
};

/* Makes the directory "t<nr>"; nothing is traced yet. */
struct worker *worker_new(struct rig *r, u32 nr, enum crash_mix mix);
void worker_free(struct worker *w);
/* From now on events of @t are noted. */
void worker_start(struct worker *w, struct trace *t);
void worker_step(struct worker *w);
/* Lets go of open files. */
void worker_stop(struct worker *w);

/* Is @r, mounted after a crash at @event, what it may be?  Fails the test. */
void worker_check(const struct worker *w, struct rig *r, u32 event);
/* What lies behind the end of a file reads as zeroes when it grows. */
void worker_grow_files(const struct worker *w, struct rig *r);
/* All of the volume as text: names, inodes, sizes, sums of contents.  The
 * caller frees it. */
char *volume_text(struct rig *r);

/* Something made all that was there before @begun durable at @ended. */
void crash_note_sync(u32 begun, u32 ended);
void crash_forget_syncs(void);

#endif /* TESTS_HOST_FAKE_CRASH_H */
