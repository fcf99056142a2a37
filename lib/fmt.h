/* SPDX-License-Identifier: MIT */
/*
 * lib/fmt.h - printf formatting into a buffer.
 *
 * Conversions d i u x X o c s p %, lengths hh h l ll z t j, flags - 0 + space
 * #, width and precision, also as *.  An unknown conversion is copied out as
 * it stands.  No floats, and no %n.
 *
 * Both return the length that the whole text has; it was cut when that is not
 * below @size.  The buffer is terminated whenever @size is not 0.
 */
#ifndef LIB_FMT_H
#define LIB_FMT_H

#include <stdarg.h>

#include <lib/types.h>

#ifndef KERNEL
#include <stdio.h>
#else
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
	__printf(3, 0);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
#endif

/* As snprintf(), but the length that is really in @buf. */
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

#endif /* LIB_FMT_H */
