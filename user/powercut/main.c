/* SPDX-License-Identifier: MIT */
/*
 * user/powercut/main.c - the command.
 *
 *	powercut run DIR SEED
 *	powercut check DIR SEED TOLD0 TOLD1 TOLD2
 *
 * DIR is absolute.  TOLDn: the last operation that worker n has told, or -1; -2: do not look.
 * `check' prints what is wrong in lines with the word BAD, and fails then.
 */
#include "powercut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	int told[NR_WORKERS], i;
	uint64_t seed;

	if (argc < 4)
		return 2;
	seed = strtoull(argv[3], NULL, 16);
	if (!strcmp(argv[1], "run"))
		run(argv[2], seed);
	if (strcmp(argv[1], "check") || argc != 4 + NR_WORKERS)
		return 2;
	for (i = 0; i < NR_WORKERS; i++)
		told[i] = atoi(argv[4 + i]);
	return check(argv[2], seed, told) != 0;
}
