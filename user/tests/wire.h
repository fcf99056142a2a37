/* SPDX-License-Identifier: MIT */
/*
 * user/tests/wire.h - two network namespaces with a cable between them, for tests.
 *
 * The caller's own namespace is A from wire_setup() on; sockets stay where they are made.
 */
#ifndef USER_TESTS_WIRE_H
#define USER_TESTS_WIRE_H

#include "utest.h"

#include <netinet/in.h>

struct wire {
	int ns[2];	 /* descriptors of the namespaces: A, B */
	char dev[2][16]; /* names of the interfaces */
	int index[2];
};

/* veth "wa" (10.9.0.1/24) in A, "wb" (10.9.0.2/24) in B; both up.  Skips the test when
 * there is no veth. */
void wire_setup(struct wire *w);
/* The calling thread's namespace is that of end @i from now on. */
void wire_enter(const struct wire *w, int i);
void wire_up(const struct wire *w, int i, int up);
void wire_mtu(const struct wire *w, int i, int mtu);
/* The address of an interface of the caller's namespace. */
void wire_add_ip(int index, const char *ip, int prefix);
void wire_del_ip(int index, const char *ip, int prefix); /* of IPv4 */
/* 0 or -errno. */
int wire_add_route(const char *dst, int prefix, const char *via);
/* A veth of the caller's namespace, whose other end is in @ns: 0 or -errno. */
int wire_veth(const char *name, const char *peer_name, int ns);
int wire_own_ns(void); /* a descriptor of the caller's */
void wire_if_mtu(int index, int mtu);
int wire_if_index(const char *name);
void wire_mac(const char *name, unsigned char mac[6]);
void wire_if_up(const char *name, int up);
struct sockaddr_in wire_addr(int i, int port);

#endif /* USER_TESTS_WIRE_H */
