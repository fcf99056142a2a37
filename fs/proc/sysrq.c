/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/sysrq.c - /proc/sysrq-trigger: a letter, and something happens.
 *
 * The letters are Linux's, those that mean something here:
 *	b  reboot at once	o  power off at once	c  panic
 *	s  sync			u  remount read-only	t  list the threads
 *	l  what each hart does
 * Others are named in the log.  Writing needs root (mode 0200).
 */
#include <fs/proc/proc.h>
#include <fs/vfs.h>
#include <kernel/assert.h>
#include <kernel/log.h>
#include <kernel/relay/relay.h>
#include <kernel/reset.h>
#include <kernel/task/process.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>

static void list_process(struct process *p, void *ctx __unused)
{
	struct thread *t;

	list_for_each_entry(t, &p->threads, proc_node)
		log_raw("%5d %5d %-15s state %u work %#lx call %d\n", p->pid,
			t->tid, t->name, load_once(&t->state),
			(unsigned long)load_once(&t->work), t->syscall_nr);
}

static s64 trigger(void *arg __unused, char *buf, size_t n)
{
	pr_notice("sysrq: %c", buf[0] > ' ' && buf[0] < 127 ? buf[0] : '?');
	switch (buf[0]) {
	case 'b':
		machine_reset(RESET_REBOOT);
	case 'o':
		machine_reset(RESET_POWEROFF);
	case 'c':
		panic("sysrq triggered crash");
	case 's':
		sync_all(true);
		break;
	case 'u':
		fs_shutdown();
		break;
	case 't':
		process_for_each(list_process, NULL);
		break;
	case 'l':
		relay_panic_dump();
		break;
	default:
		pr_notice("sysrq: b o c s u t l");
		break;
	}
	return (s64)n;
}

int proc_sysrq_init(struct pnode *root)
{
	return pseudo_file(root, "sysrq-trigger", 0200, NULL, trigger, NULL)
		       ? 0
		       : -ENOMEM;
}
