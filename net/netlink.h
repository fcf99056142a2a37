/* SPDX-License-Identifier: MIT */
/*
 * net/netlink.h - netlink messages, for the files that make them.
 */
#ifndef NET_NETLINK_H
#define NET_NETLINK_H

#include <lib/list.h>
#include <net/socket.h>

struct nlmsghdr {
	u32 len;
	u16 type, flags;
	u32 seq, port;
};

#define NLMSG_ERROR 2
#define NLMSG_DONE  3
#define NLMSG_FIRST 16 /* of a protocol's own */

#define NLM_F_REQUEST 1u
#define NLM_F_MULTI   2u
#define NLM_F_ACK     4u
#define NLM_F_DUMP    0x300u

/* Messages that are read as one. */
struct nl_buf {
	struct list_head node;
	u32 len;
	u8 data[];
};
#define NL_BUF_SIZE 4096u

struct nl_buf *nl_buf_new(void); /* NULL: out of memory */
void *nl_room(struct nl_buf *b, u32 n);
/* A message that answers @req: begin, fields by nl_room(), attributes, end. */
struct nlmsghdr *nl_begin(struct nl_buf *b, const struct nlmsghdr *req,
			  u16 type, u16 flags);
void nl_end(struct nl_buf *b, struct nlmsghdr *h);
void nl_attr(struct nl_buf *b, u16 type, const void *data, u32 len);

/* rtnetlink.c: the answer to @req, whose whole length is @len; 0 or -errno. */
int rtnl_request(struct nl_buf *b, const struct nlmsghdr *req, u32 len,
		 bool dump);

/* A message from nowhere, for who reads that socket (mq_notify(2)); when there is no
 * memory it is lost. */
bool netlink_file(struct file *f);
void netlink_deliver(struct file *f, const void *data, size_t n);

#endif /* NET_NETLINK_H */
