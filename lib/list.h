/* SPDX-License-Identifier: MIT */
/*
 * lib/list.h - circular doubly linked list with the links in the element.
 *
 * A list is a head that is never an element.  An element that is on no list
 * points at itself, so list_is_linked() is always answered, provided that it
 * was initialised with list_init() once.
 *
 * INVARIANTS
 *   I1  e->next->prev == e and e->prev->next == e, for heads and elements.
 *   I2  list_del() leaves the element initialised; deleting twice is harmless.
 *
 * Locking: the owner of the list brings it.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include <lib/types.h>

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

#define LIST_HEAD_INIT(name)      \
	{                         \
		&(name), &(name), \
	}

static inline void list_init(struct list_head *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

/* For an element: is it on a list? */
static inline bool list_is_linked(const struct list_head *e)
{
	return e->next != e;
}

static inline void list_insert_between(struct list_head *e,
				       struct list_head *prev,
				       struct list_head *next)
{
	e->prev = prev;
	e->next = next;
	prev->next = e;
	next->prev = e;
}

/* First in @head; or, with an element for @head, right behind it. */
static inline void list_add(struct list_head *e, struct list_head *head)
{
	list_insert_between(e, head, head->next);
}

/* Last in @head; or, with an element for @head, right before it. */
static inline void list_add_tail(struct list_head *e, struct list_head *head)
{
	list_insert_between(e, head->prev, head);
}

static inline void list_del(struct list_head *e)
{
	e->prev->next = e->next;
	e->next->prev = e->prev;
	list_init(e);
}

static inline void list_move(struct list_head *e, struct list_head *head)
{
	list_del(e);
	list_add(e, head);
}

static inline void list_move_tail(struct list_head *e, struct list_head *head)
{
	list_del(e);
	list_add_tail(e, head);
}

/* All of @from, in order, to the end of @to.  @from is empty afterwards. */
static inline void list_splice_tail_init(struct list_head *from,
					 struct list_head *to)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(p, type, m) container_of(p, type, m)

/* The list is not empty. */
#define list_first_entry(head, type, m) list_entry((head)->next, type, m)
#define list_last_entry(head, type, m)	list_entry((head)->prev, type, m)

/* NULL when the list is empty. */
#define list_first_entry_or_null(head, type, m) \
	(list_empty(head) ? NULL : list_first_entry(head, type, m))

#define list_next_entry(pos, m) list_entry((pos)->m.next, __typeof__(*(pos)), m)
#define list_prev_entry(pos, m) list_entry((pos)->m.prev, __typeof__(*(pos)), m)

#define list_for_each_entry(pos, head, m)                         \
	for (pos = list_first_entry(head, __typeof__(*(pos)), m); \
	     &pos->m != (head); pos = list_next_entry(pos, m))

#define list_for_each_entry_reverse(pos, head, m)                \
	for (pos = list_last_entry(head, __typeof__(*(pos)), m); \
	     &pos->m != (head); pos = list_prev_entry(pos, m))

/* The body may delete @pos, and nothing else. */
#define list_for_each_entry_safe(pos, tmp, head, m)               \
	for (pos = list_first_entry(head, __typeof__(*(pos)), m), \
	    tmp = list_next_entry(pos, m);                        \
	     &pos->m != (head); pos = tmp, tmp = list_next_entry(tmp, m))

#endif /* LIB_LIST_H */
