/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/console.c - /dev/console and /dev/tty; which terminal
 * `console=` or the device tree means.
 *
 * With `console=` given, kernel messages go to every terminal named and
 * /dev/console is the last of them that exists.  Without it, both are what
 * /chosen/stdout-path names, else the first terminal that there is.
 *
 * Locking: redirect_lock (RANK_TTY neighbour, a leaf of rank RANK_DEV) guards
 * the target of TIOCCONS.
 */
#include <kernel/dev/tty/tty_int.h>

#include <kernel/dev/sysfs.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/fdt.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define MAX_CONSOLES 8

static const char
	*names[MAX_CONSOLES];	/* [I after boot] as on the command line */
static unsigned int nr_names;	/* [I after boot] */
static struct tty *console_tty; /* [I after boot] borrowed: for ever */
static struct tty *stdout_tty;	/* [I after boot] */

static struct spinlock redirect_lock = SPINLOCK_INIT("tioccons", RANK_DEV);
static struct tty_file
	*redirect; /* [redirect_lock] borrowed until its release */

static void console_param(const char *value)
{
	if (nr_names < MAX_CONSOLES)
		names[nr_names++] = value;
}
BOOTPARAM(console, "console", console_param);

/* Is "ttyS0,115200n8" about @name? */
static bool names_tty(const char *value, const char *name)
{
	size_t n = strlen(name);

	return strncmp(value, name, n) == 0 &&
	       (value[n] == '\0' || value[n] == ',' || value[n] == ' ');
}

bool console_is_stdout(int fdt_node)
{
	char path[128];
	int chosen = fdt_path_offset(boot_fdt, "/chosen");
	const char *prop, *colon;

	if (fdt_node < 0 || chosen < 0)
		return false;
	prop = fdt_prop_str(boot_fdt, chosen, "stdout-path");
	if (!prop)
		prop = fdt_prop_str(boot_fdt, chosen, "linux,stdout-path");
	if (!prop || strscpy(path, prop, sizeof(path)) < 0)
		return false;
	colon = strchr(path, ':'); /* options of the port follow */
	if (colon)
		path[colon - path] = '\0';
	return fdt_path_offset(boot_fdt, path) == fdt_node;
}

bool console_wanted(const char *name, int fdt_node)
{
	for (unsigned int i = 0; i < nr_names; i++) {
		if (names_tty(names[i], name))
			return true;
	}
	return nr_names == 0 && console_is_stdout(fdt_node);
}

void console_offer(struct tty *t, int fdt_node)
{
	if (!stdout_tty && console_is_stdout(fdt_node))
		stdout_tty = t;
}

/* --- TIOCCONS */

struct tty *console_redirect_get(void)
{
	struct tty *t = NULL;

	spin_lock(&redirect_lock);
	if (redirect)
		t = tty_get(redirect->tty);
	spin_unlock(&redirect_lock);
	return t;
}

s64 console_redirect(struct tty_file *tf)
{
	s64 ret = 0;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	spin_lock(&redirect_lock);
	if (tf->console)
		redirect = NULL;
	else if (redirect)
		ret = -EBUSY;
	else
		redirect = tf;
	spin_unlock(&redirect_lock);
	return ret;
}

void console_redirect_forget(struct tty_file *tf)
{
	spin_lock(&redirect_lock);
	if (redirect == tf)
		redirect = NULL;
	spin_unlock(&redirect_lock);
}

/* --- devices */

static int console_open(struct chrdev *cd, struct file *f)
{
	(void)cd;
	if (!console_tty)
		return -ENODEV;
	return tty_open_file(console_tty, f, true);
}

static int own_tty_open(struct chrdev *cd, struct file *f)
{
	struct tty *t = tty_current();
	int err;

	(void)cd;
	if (!t)
		return -ENXIO;
	err = tty_open_file(t, f, false);
	tty_put(t);
	return err;
}

static struct chrdev console_cd = {
	.name = "console",
	.dev = MKDEV(5, 1),
	.mode = 0600,
	.gid = 5,
	.fops = &tty_fops,
	.open = console_open,
	.sys_class = "tty",
};

static struct chrdev own_tty_cd = {
	.name = "tty",
	.dev = MKDEV(5, 0),
	.mode = 0666,
	.gid = 5,
	.fops = &tty_fops,
	.open = own_tty_open,
	.sys_class = "tty",
};

static struct tty *by_console_value(const char *value)
{
	char name[16];
	size_t n = 0;

	while (value[n] && value[n] != ',' && value[n] != ' ')
		n++;
	if (n >= sizeof(name))
		return NULL;
	memcpy(name, value, n);
	name[n] = '\0';
	return tty_by_name(name);
}

/* The firmware's console is a terminal when it is asked for, or there is no other. */
static int add_hvc(void)
{
	bool wanted =
		!stdout_tty && !tty_by_name("ttyS0") && !tty_by_name("ttySIF0");

	for (unsigned int i = 0; i < nr_names; i++)
		wanted |= names_tty(names[i], "hvc0");
	return wanted ? hvc_register() : 0;
}

static struct tty *choose_console(void)
{
	static const char *const fallback[] = { "ttyS0", "ttySIF0", "hvc0" };
	struct tty *t = NULL;

	for (unsigned int i = nr_names; i > 0 && !t; i--)
		t = by_console_value(names[i - 1]);
	if (!t)
		t = stdout_tty;
	for (unsigned int i = 0; i < ARRAY_SIZE(fallback) && !t; i++)
		t = tty_by_name(fallback[i]);
	return t;
}

size_t console_show(char *buf, size_t size)
{
	const struct tty *t = console_tty;

	if (!t)
		return 0;
	return scnprintf(buf, size, "%-21s-W- (EC  p a) %4u:%u\n", t->name,
			 MAJOR(t->dev), MINOR(t->dev));
}

static s64 show_active(void *obj __unused, const struct sys_attr *a __unused,
		       char *buf, size_t size)
{
	return console_tty
		       ? (s64)scnprintf(buf, size, "%s\n", console_tty->name)
		       : 0;
}

static const struct sys_attr active = { .name = "active",
					.mode = 0444,
					.show = show_active };

static int console_init(void)
{
	int err = chrdev_register(&own_tty_cd);

	if (!err)
		err = add_hvc();
	if (!err)
		err = chrdev_register(&console_cd);
	if (err)
		return err;
	sys_add(console_cd.sys, &active, 1);
	console_tty = choose_console();
	console_chrdev = &console_cd;
	if (console_tty)
		pr_info("console: /dev/console is %s", console_tty->name);
	else
		pr_warn("console: no terminal found");
	return 0;
}
INITCALL(INIT_LATE, console_init);
