/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/ipc.c - /proc/sysvipc: System V IPC objects, for ipcs(1).
 */
#include <fs/proc/proc.h>
#include <kernel/init.h>
#include <kernel/ipc/ipc.h>
#include <lib/errno.h>

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

static void put_shm(const struct shm_ds *ds, s32 id, void *arg)
{
	const struct ipc_perm *p = &ds->perm;

	text_printf(arg,
		    "%10d %10d  %4o %21lu %5d %5d  %5lu %5u %5u %5u %5u %10ld "
		    "%10ld %10ld %21u %21u\n",
		    p->key, id, p->mode, ds->size, ds->cpid, ds->lpid,
		    ds->nattch, p->uid, p->gid, p->cuid, p->cgid, ds->atime,
		    ds->dtime, ds->ctime, 0, 0);
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

static int show_limit(struct text *t, void *arg)
{
	text_printf(t, "%lu\n", (u64)(uintptr_t)arg);
	return 0;
}

static int show_sem_limits(struct text *t, void *arg __unused)
{
	text_printf(t, "%u\t%u\t%u\t%u\n", SEM_NR_MAX, IPC_SLOTS * SEM_NR_MAX,
		    SEM_OPS, IPC_SLOTS);
	return 0;
}

static const struct {
	const char *name;
	u64 v;
} limits[] = {
	{ "msgmax", MSG_MAX },	  { "msgmnb", MSG_QBYTES },
	{ "msgmni", IPC_SLOTS },  { "shmmax", ~0ul - (1ul << 24) },
	{ "shmmni", IPC_SLOTS },  { "shmall", ~0ul - (1ul << 24) },
	{ "shm_rmid_forced", 0 },
};

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
	pseudo_file(k, "sem", 0444, show_sem_limits, NULL, NULL);
	for (u32 i = 0; i < ARRAY_SIZE(limits); i++)
		pseudo_file(k, limits[i].name, 0444, show_limit, NULL,
			    (void *)(uintptr_t)limits[i].v);
	return 0;
}
INITCALL(INIT_LATE, proc_ipc_init);
