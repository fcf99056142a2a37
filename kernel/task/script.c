/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/script.c - splits "#! interpreter [one argument]".
 *
 * As on Linux: the argument is all that is left of the line, without blanks at
 * its ends; a line longer than the buffer is used as far as it goes, unless the
 * cut is in the interpreter's name.
 */
#include <kernel/task/script.h>

#include <lib/errno.h>
#include <lib/string.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* End of the line within @buf: newline or NUL, or @len when there is none. */
static size_t line_end(const char *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (buf[i] == '\n' || buf[i] == '\0')
			break;
	}
	return i;
}

static void copy_part(char *dst, const char *src, size_t len)
{
	memcpy(dst, src, len);
	dst[len] = '\0';
}

int script_parse(const char *buf, size_t len, struct script_line *out)
{
	size_t end, begin = 2, stop;
	bool cut;

	if (len > SCRIPT_LINE_MAX || len < 3 || buf[0] != '#' || buf[1] != '!')
		return -ENOEXEC;
	end = line_end(buf, len);
	cut = end == SCRIPT_LINE_MAX;
	if (cut)
		end--; /* the last byte may be the first of many */
	while (begin < end && blank(buf[begin]))
		begin++;
	for (stop = begin; stop < end && !blank(buf[stop]); stop++)
		;
	if (stop == begin || (cut && stop == end))
		return -ENOEXEC;
	copy_part(out->interp, buf + begin, stop - begin);
	for (begin = stop; begin < end && blank(buf[begin]); begin++)
		;
	while (end > begin && blank(buf[end - 1]))
		end--;
	copy_part(out->arg, buf + begin, end - begin);
	return 0;
}
