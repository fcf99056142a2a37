/* SPDX-License-Identifier: MIT */
/*
 * kernel/ns/user.h - user namespaces: ids and capabilities as seen inside.
 *
 * Inside the kernel every uid and gid is that of the first namespace: in
 * credentials, inodes, messages.  Where one crosses the border to a program it is
 * translated: *_shown() on its way out, *_given() on its way in.  An id that has no
 * name inside is shown as OVERFLOW_ID; one that names nobody is INVALID_ID.
 *
 * Capabilities in a cred are those towards cred->user_ns and what is below it.
 * capable() asks for one towards the first namespace, which is what every check has
 * to ask unless somebody has thought about it; ns_capable() towards another one.
 *
 * Which capabilities matter where follows user_namespaces(7).
 * Context: any, but for what makes a namespace or a map.
 */
#ifndef KERNEL_NS_USER_H
#define KERNEL_NS_USER_H

#include <kernel/ns/ns.h>
#include <kernel/task/process.h>

#define INVALID_ID     0xffffffffu
#define OVERFLOW_ID    65534u
#define USER_NS_LEVELS 32u
#define ID_MAP_EXTENTS 340u

struct id_extent {
	u32 first; /* inside */
	u32 lower; /* as the first namespace has it */
	u32 count;
};

/* Written once.  Complete before user_ns->map points to it. */
struct id_map {
	u32 nr;
	struct id_extent ext[];
};

enum id_kind {
	ID_UID,
	ID_GID,
};

struct user_ns {
	struct ns_common ns;	   /* ns.owner is the parent */
	u32 level;		   /* [I] 0: the first */
	u32 owner_uid, owner_gid;  /* [I] of who made it */
	struct id_map *map[2];	   /* [a] by id_kind; NULL: not yet, nobody */
	bool setgroups_denied;	   /* [user_lock] */
	bool parent_could_setfcap; /* [I] who made it had CAP_SETFCAP */
};

static inline struct user_ns *user_ns_parent(const struct user_ns *ns)
{
	return ns->ns.owner;
}
static inline struct user_ns *current_user_ns(void)
{
	return current->cred->user_ns;
}
static inline bool in_first_user_ns(void)
{
	return likely(current_user_ns() == &init_user_ns);
}

/* --- ids.  In @ns: the global id of @id, or INVALID_ID; and back. */
u32 id_to_global(const struct user_ns *ns, enum id_kind k, u32 id);
u32 id_from_global(const struct user_ns *ns, enum id_kind k, u32 id);
u32 id_shown_slow(enum id_kind k, u32 id); /* to current */
static inline u32 uid_shown(u32 uid)
{
	return in_first_user_ns() ? uid : id_shown_slow(ID_UID, uid);
}
static inline u32 gid_shown(u32 gid)
{
	return in_first_user_ns() ? gid : id_shown_slow(ID_GID, gid);
}
static inline u32 uid_given(u32 uid)
{
	return in_first_user_ns()
		       ? uid
		       : id_to_global(current_user_ns(), ID_UID, uid);
}
static inline u32 gid_given(u32 gid)
{
	return in_first_user_ns()
		       ? gid
		       : id_to_global(current_user_ns(), ID_GID, gid);
}
/* Who is root of @c's namespace. */
static inline u32 root_uid(const struct cred *c)
{
	return likely(c->user_ns == &init_user_ns)
		       ? 0
		       : id_to_global(c->user_ns, ID_UID, 0);
}
/* Have both ids a name in the namespace of @c? */
bool ids_mapped(const struct user_ns *ns, u32 uid, u32 gid);

/* --- capabilities */
/* Has @c @cap towards @ns? */
bool cred_capable(const struct cred *c, const struct user_ns *ns,
		  unsigned int cap);
/* Has current @cap towards its own namespace? */
static inline bool capable_here(unsigned int cap)
{
	return (current->cred->cap_effective >> cap) & 1;
}
/* Has who @c is for made @ns, or one above it? */
bool user_ns_made_below(const struct user_ns *ns, const struct cred *c);
/* Is @ns @top, or below it? */
bool user_ns_below(const struct user_ns *ns, const struct user_ns *top);

/* --- made and entered */
/* @c, a private copy of current's, becomes root of a new namespace: 0, -EPERM,
 * -ENOSPC, -ENOMEM. */
int cred_new_user_ns(struct cred *c);
/* The same for one that exists; takes a reference. */
void cred_set_user_ns(struct cred *c, struct user_ns *ns);
bool user_ns_may_setgroups(const struct user_ns *ns);

/* --- what /proc/<pid>/uid_map and its like write.  @opener: of the file. */
int user_ns_write_map(struct user_ns *ns, const struct cred *opener,
		      enum id_kind k, char *text);
int user_ns_write_setgroups(struct user_ns *ns, bool deny);

#endif /* KERNEL_NS_USER_H */
