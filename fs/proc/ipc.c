/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/ipc.c - /proc/sysvipc: System V IPC objects, for ipcs(1).
 */
#include <fs/proc/proc.h>
#include <kernel/init.h>
#include <kernel/ipc/ipc.h>
#include <lib/errno.h>
#include <lib/string.h>

static void put_sem(const struct sem_ds *ds, s32 id, void *arg)
{
	const struct ipc_perm *p = &ds->perm;

	text_printf(arg, "%10d %10d  %4o %10lu %5u %5u %5u %5u %10ld %10ld\n",
		    p->key, id, p->mode, ds->nsems, p->uid, p->gid, p->cuid,
		    p->cgid, ds->otime, ds->ctime);
}

static int show_sem(struct text *t, void *arg __unused)
{
	text_puts(t, "       key      semid perms      nsems   uid   gid  cuid "
		     " cgid      otime      ctime\n");
	sem_for_each(put_sem, t);
	return 0;
}

static void put_msg(const struct msq_ds *ds, s32 id, void *arg)
{
	const struct ipc_perm *p = &ds->perm;

	text_printf(arg,
		    "%10d %10d  %4o  %10lu %10lu %5d %5d %5u %5u %5u %5u "
		    "%10ld %10ld %10ld\n",
		    p->key, id, p->mode, ds->cbytes, ds->qnum, ds->lspid,
		    ds->lrpid, p->uid, p->gid, p->cuid, p->cgid, ds->stime,
		    ds->rtime, ds->ctime);
}

static int show_msg(struct text *t, void *arg __unused)
{
	text_puts(t, "       key      msqid perms      cbytes       qnum lspid "
		     "lrpid   uid   gid  cuid  cgid      stime      rtime      "
		     "ctime\n");
	msq_for_each(put_msg, t);
	return 0;
}

static void put_shm(const struct shm_ds *ds, s32 id, u64 resident, void *arg)
{
	const struct ipc_perm *p = &ds->perm;

	text_printf(arg,
		    "%10d %10d  %4o %21lu %5d %5d  %5lu %5u %5u %5u %5u %10ld "
		    "%10ld %10ld %21lu %21u\n",
		    p->key, id, p->mode, ds->size, ds->cpid, ds->lpid,
		    ds->nattch, p->uid, p->gid, p->cuid, p->cgid, ds->atime,
		    ds->dtime, ds->ctime, resident * PAGE_SIZE, 0);
}

static int show_shm(struct text *t, void *arg __unused)
{
	text_puts(t,
		  "       key      shmid perms                  size  cpid  "
		  "lpid nattch   uid   gid  cuid  cgid      atime      dtime "
		  "     ctime                   rss                  swap\n");
	shm_for_each(put_shm, t);
	return 0;
}

static int show_sem_limits(struct text *t, void *arg __unused)
{
	const struct ipc_limits *l = &ipc_limits;

	text_printf(t, "%lu\t%lu\t%lu\t%lu\n", load_once(&l->semmsl),
		    load_once(&l->semmns), load_once(&l->semopm),
		    load_once(&l->semmni));
	return 0;
}

/* Up to four numbers; what is not named stays. */
static s64 write_sem_limits(void *arg __unused, char *buf, size_t n)
{
	static const u64 most[] = { SEM_NR_MAX, 0x7fffffff, SEM_OPS,
				    IPC_SLOTS };
	u64 v[4], *to[] = { &ipc_limits.semmsl, &ipc_limits.semmns,
			    &ipc_limits.semopm, &ipc_limits.semmni };
	u32 nr = 0;
	char *s = buf;

	buf[proc_line_len(buf)] = '\0';
	while (nr < 4) {
		char *word;

		while (*s == ' ' || *s == '\t')
			s++;
		if (!*s)
			break;
		for (word = s; *s && *s != ' ' && *s != '\t'; s++)
			;
		if (*s)
			*s++ = '\0';
		if (kstrtou64(word, 10, &v[nr]) || v[nr] > most[nr])
			return -EINVAL;
		nr++;
	}
	for (u32 i = 0; i < nr; i++)
		store_once(to[i], v[i]);
	return (s64)n;
}

static int proc_ipc_init(void)
{
	struct pnode *d = pseudo_dir(proc_root, "sysvipc");
	struct pnode *sys = pseudo_find(proc_root, "sys");
	struct pnode *k = sys ? pseudo_find(sys, "kernel") : NULL;

	if (!d || !k)
		return -ENOMEM;
	pseudo_file(d, "sem", 0444, show_sem, NULL, NULL);
	pseudo_file(d, "msg", 0444, show_msg, NULL, NULL);
	pseudo_file(d, "shm", 0444, show_shm, NULL, NULL);
	pseudo_file(k, "sem", 0644, show_sem_limits, write_sem_limits, NULL);
	return 0;
}
INITCALL(INIT_LATE, proc_ipc_init);
