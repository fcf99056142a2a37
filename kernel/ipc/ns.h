/* SPDX-License-Identifier: MIT */
/*
 * kernel/ipc/ns.h - IPC namespaces: System V objects and names of message queues.
 *
 * A namespace that ends takes all of its objects with it; an attached segment and an
 * open queue live on without a name.
 */
#ifndef KERNEL_IPC_NS_H
#define KERNEL_IPC_NS_H

#include <kernel/mm/radix.h>
#include <kernel/ns/ns.h>
#include <lib/list.h>

enum ipc_kind_id {
	IPC_SEM,
	IPC_MSG,
	IPC_SHM,
	NR_IPC_KINDS,
};

/* All under the lock of the kind. */
struct ipc_table {
	struct radix slots, keys; /* IPC_SLOTS at most; not IPC_PRIVATE */
	u64 used;		  /* pages of segments, semaphores of sets */
	u32 nr, next;		  /* in use; where the next one is looked for */
	u32 next_id; /* id to give plus one, if it is free; 0: any */
	u16 seq;
};

struct ipc_ns {
	struct ns_common ns;
	struct ipc_table table[NR_IPC_KINDS];
	struct list_head mq_names; /* [mqueue.c] */
	struct list_head mq_open;  /* [mqueue.c] those without a name */
	u32 nr_mqueues;		   /* [mqueue.c] */
};
extern const struct ns_ops ipc_ns_ops;
extern struct ipc_ns init_ipc_ns;

struct ipc_ns *ipc_ns_new(struct user_ns *owner); /* empty; or ERR_PTR */

#endif /* KERNEL_IPC_NS_H */
