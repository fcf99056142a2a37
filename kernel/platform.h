/* SPDX-License-Identifier: MIT */
/*
 * kernel/platform.h - what is particular to one board.
 *
 * A row of platform/ whose compatible string is the device tree's root's is called
 * at boot.  Everything that the tree or the devices say themselves is the drivers'.
 *
 * Context: the init thread; may sleep.
 */
#ifndef KERNEL_PLATFORM_H
#define KERNEL_PLATFORM_H

struct platform {
	const char *name;
	const char *compatible;
	void (*early)(void); /* before buses and devices, or NULL */
	void (*late)(void);  /* when they are all there, or NULL */
};

#define PLATFORM(ident)                                  \
	static const struct platform __used_plat_##ident \
		__attribute__((section(".platforms"), used, aligned(8)))

#endif /* KERNEL_PLATFORM_H */
