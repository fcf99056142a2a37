/* SPDX-License-Identifier: MIT */
/*
 * user/tests/extack.c - what a request of rtnetlink is refused with: an error, the request,
 * and why.
 */
#include "wire.h"
#include "rtnl.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#ifndef NLM_F_CAPPED
#define NLM_F_CAPPED   0x100
#define NLM_F_ACK_TLVS 0x200
#endif

static struct wire w;
static char buf[4096];

/* The answer, an error, is in buf; its flags. */
static int ask(int s, struct rt_request *r)
{
	struct nlmsghdr *h = (void *)buf;

	r->h.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	CHECK_EQ(send(s, r, r->h.nlmsg_len, 0), r->h.nlmsg_len);
	memset(buf, 0, sizeof(buf));
	CHECK(recv(s, buf, sizeof(buf), 0) > 0);
	CHECK_EQ(h->nlmsg_type, NLMSG_ERROR);
	return h->nlmsg_flags;
}

static int error(void)
{
	return ((struct nlmsgerr *)NLMSG_DATA(buf))->error;
}

/* What it says; "": nothing. */
static const char *text(void)
{
	struct nlmsghdr *h = (void *)buf;
	struct nlmsgerr *e = NLMSG_DATA(h);
	size_t own = h->nlmsg_flags & NLM_F_CAPPED
			     ? sizeof(*e)
			     : sizeof(*e) + NLMSG_ALIGN(e->msg.nlmsg_len) -
				       sizeof(e->msg);
	const struct rtattr *a = rt_find(h, own, NLMSGERR_ATTR_MSG);

	return h->nlmsg_flags & NLM_F_ACK_TLVS && a ? RTA_DATA(a) : "";
}

static struct rt_request bad_mtu(void)
{
	struct rt_request r =
		RT_REQUEST(RTM_NEWLINK, 0, sizeof(struct ifinfomsg));

	r.link.ifi_index = w.index[0];
	rt_attr(&r, IFLA_MTU, &(int){ 10 }, 4);
	return r;
}

static struct rt_request bad_gateway(const char *via)
{
	struct rt_request r =
		RT_REQUEST(RTM_NEWROUTE, NLM_F_CREATE, sizeof(struct rtmsg));
	unsigned char raw[4];

	CHECK_EQ(inet_pton(AF_INET, via, raw), 1);
	r.route = (struct rtmsg){ .rtm_family = AF_INET,
				  .rtm_table = RT_TABLE_MAIN,
				  .rtm_protocol = RTPROT_BOOT,
				  .rtm_type = RTN_UNICAST };
	rt_attr(&r, RTA_GATEWAY, raw, 4);
	return r;
}

TEST(extack, texts)
{
	struct rt_request r;
	int s, flags, one = 1;
	struct nlmsgerr *e = NLMSG_DATA(buf);

	wire_setup(&w);
	CHECK_OK(s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	r = bad_mtu();
	flags = ask(s, &r); /* the request comes back whole, and no text */
	CHECK_EQ(error(), -EINVAL);
	CHECK_EQ(flags, 0);
	CHECK_EQ(((struct nlmsghdr *)buf)->nlmsg_len,
		 NLMSG_LENGTH(sizeof(*e)) + r.h.nlmsg_len - sizeof(r.h));
	CHECK(!memcmp(&e->msg.nlmsg_type, &r.h.nlmsg_type, 2));
	CHECK(!memcmp(&e->msg + 1, &r.h + 1, r.h.nlmsg_len - sizeof(r.h)));
	CHECK_OK(setsockopt(s, SOL_NETLINK, NETLINK_EXT_ACK, &one, 4));
	flags = ask(s, &r);
	CHECK_EQ(flags, NLM_F_ACK_TLVS);
	CHECK(!strcmp(text(), "mtu less than device minimum"));
	CHECK_OK(setsockopt(s, SOL_NETLINK, NETLINK_CAP_ACK, &one, 4));
	flags = ask(s, &r);
	CHECK_EQ(flags, NLM_F_ACK_TLVS | NLM_F_CAPPED);
	CHECK(!strcmp(text(), "mtu less than device minimum"));
	r = bad_gateway("10.77.0.1");
	ask(s, &r);
	CHECK_EQ(error(), -ENETUNREACH);
	CHECK(!strcmp(text(), "Nexthop has invalid gateway"));
	r = bad_mtu(); /* no longer a bad one: an ack says nothing */
	r.h.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg));
	rt_attr(&r, IFLA_MTU, &(int){ 1400 }, 4);
	flags = ask(s, &r);
	CHECK_EQ(error(), 0);
	CHECK_EQ(flags, NLM_F_CAPPED);
}
