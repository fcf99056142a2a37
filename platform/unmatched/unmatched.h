/* SPDX-License-Identifier: MIT */
/*
 * platform/unmatched/unmatched.h - what the files of this board share.
 */
#ifndef PLATFORM_UNMATCHED_UNMATCHED_H
#define PLATFORM_UNMATCHED_UNMATCHED_H

/* facts.c: say what only the board itself can tell; for scripts/board-report. */
void unmatched_print_facts(void);

#endif /* PLATFORM_UNMATCHED_UNMATCHED_H */
