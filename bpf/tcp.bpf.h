/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What TCP itself measures, told a few times a second for each connection that is followed. */
#ifndef L7PROF_TCP_H
#define L7PROF_TCP_H

#include "peer.bpf.h"

#define SAMPLE_NS 100000000ULL

static __always_inline u32 connect_us_of(struct sock *sk)
{
	u64 key = key_of(sk, AF_INET);
	struct owner *owner = bpf_map_lookup_elem(&owners, &key);

	return owner ? owner->connect_us : 0;
}

static __always_inline void emit_tcp(struct sock *sk, u32 inode)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	struct tcp_event record = {};

	event_init(&record.event, EVENT_TCP, inode);
	record.srtt_us = FIELD(tcp_sock, tcp, srtt_us) >> 3; /* the kernel keeps eighths, … */
	record.rttvar_us = FIELD(tcp_sock, tcp, mdev_us) >> 2; /* … and quarters */
	record.retransmits = FIELD(tcp_sock, tcp, total_retrans);
	record.connect_us = connect_us_of(sk);
	emit(&record, sizeof(record), 0);
}

/* Not at the first call: what is over by then is told when the connection ends. */
static __always_inline void sample_tcp(struct connection *connection, struct socket_ref *ref, u64 now_ns)
{
	bool is_first = !connection->sampled_ns;

	if (!connection->is_tcp || now_ns - connection->sampled_ns < SAMPLE_NS)
		return;
	connection->sampled_ns = now_ns;
	if (!is_first)
		emit_tcp(ref->sk, connection->inode);
}

/* A session of TLS on it may have ended before it. */
static __always_inline bool is_measured(struct connection *connection)
{
	u8 state = connection->state;

	return connection->is_tcp &&
	       (state == CONNECTION_FOLLOWED || state == CONNECTION_OPAQUE || state == CONNECTION_BOUND);
}

static __always_inline void tcp_retransmitted(struct sock *sk)
{
	u64 key = (u64)sk;
	struct connection *connection = bpf_map_lookup_elem(&connections, &key);

	if (connection && is_measured(connection))
		emit_tcp(sk, connection->inode);
}

#endif
