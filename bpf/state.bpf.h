/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A connection comes to its end: TCP tells of its states, of a unix socket only the call that closes it. */
#ifndef L7PROF_STATE_H
#define L7PROF_STATE_H

#include "tcp.bpf.h"
#include "tls-binding.bpf.h"

static __always_inline void unix_socket_closed(u32 fd)
{
	u64 key = (bpf_get_current_pid_tgid() >> 32 << 32) | fd;
	struct unix_descriptor *descriptor = bpf_map_lookup_elem(&unix_descriptors, &key);
	struct state_event record = { .state = TCP_CLOSE, .shutdown = 3 };
	struct connection *connection;
	u64 socket;

	if (!descriptor)
		return;
	socket = descriptor->socket;
	event_init(&record.event, EVENT_STATE, descriptor->inode);
	connection = bpf_map_lookup_elem(&connections, &socket);
	if (connection && connection->inode == descriptor->inode) {
		record.in_position = connection->in_position;
		record.out_position = connection->out_position;
		bpf_map_delete_elem(&connections, &socket);
	}
	bpf_map_delete_elem(&unix_descriptors, &key);
	emit(&record, sizeof(record), 0);
}

/* A call has moved bytes and not returned yet: the peer's reset overtakes it. A FIN that was sent counts as one. */
static __always_inline bool is_call_returning(struct connection *connection, struct tcp_sock *tcp, u8 shutdown)
{
	u32 fin = shutdown & SEND_SHUTDOWN ? 1 : 0;

	if (connection->in_position && BPF_CORE_READ(tcp, copied_seq) != connection->in_position)
		return true;
	if (connection->out_position && !connection->has_silent_sends &&
	    BPF_CORE_READ(tcp, write_seq) - connection->out_position > fin)
		return true;
	return connection->is_telling; /* in this order: it is set before the positions, and cleared after the record */
}

/* Whoever closes it has thrown away what was there to read. The FIN counts as one. */
static __always_inline bool is_unread(struct sock *sk, struct tcp_sock *tcp)
{
	return BPF_CORE_READ(tcp, rcv_nxt) - BPF_CORE_READ(tcp, copied_seq) > 1 &&
	       BPF_CORE_READ(sk, sk_receive_queue.qlen);
}

/* What is known of the socket is of one before it at the same address, which was closed with bytes in it unread. */
static __always_inline bool is_another_socket(u8 state)
{
	return state == TCP_SYN_SENT || state == TCP_SYN_RECV || state == TCP_LISTEN;
}

/* By its first call that moves bytes: whether it is followed is known next, and its end is told when it is destroyed. */
static __always_inline bool is_being_looked_at(struct connection *connection)
{
	return connection->state == CONNECTION_SNIFFED && connection->is_telling;
}

static __always_inline void tcp_state_changed(struct sock *sk, u8 old_state, u8 state)
{
	u64 key = (u64)sk;
	struct connection *connection = bpf_map_lookup_elem(&connections, &key);
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	struct state_event record = { .state = state, .old_state = old_state };
	bool is_told;

	if (!connection)
		return;
	if (is_another_socket(state)) {
		bpf_map_delete_elem(&connections, &key);
		return;
	}
	if (state == TCP_CLOSE && old_state != state) {
		connection->error = BPF_CORE_READ(sk, sk_err);
		if (is_being_looked_at(connection))
			return;
	}
	is_told = connection->tcp_state == state;
	if (is_told && old_state != state) /* by the other program that sees it */
		return;
	connection->tcp_state = state;
	record.shutdown = BPF_CORE_READ(sk, sk_shutdown);
	record.error = connection->error ? connection->error : BPF_CORE_READ(sk, sk_err);
	if (state == TCP_CLOSE && BPF_CORE_READ(sk, sk_socket)) {
		if (is_unread(sk, tcp))
			record.has_more |= MORE_UNREAD;
		if (connection->state == CONNECTION_FOLLOWED && connection->is_tcp &&
		    is_call_returning(connection, tcp, record.shutdown))
			record.has_more |= MORE_RETURNING;
		if (connection->state == CONNECTION_BOUND || connection->state == CONNECTION_OPAQUE)
			record.has_more |= MORE_IN_LIBRARY;
	}
	if (state == TCP_CLOSE && !is_told && is_measured(connection))
		emit_tcp(sk, connection->inode);
	if (connection->state == CONNECTION_BOUND) {
		bound_state_changed(connection, &record);
	} else if (connection->state == CONNECTION_FOLLOWED || connection->state == CONNECTION_OPAQUE) {
		event_init(&record.event, EVENT_STATE, connection->inode);
		record.event.flags = FLAG_ABSOLUTE;
		record.in_position = BPF_CORE_READ(tcp, copied_seq);
		record.out_position = BPF_CORE_READ(tcp, write_seq);
		emit(&record, sizeof(record), 0);
	}
	if (state == TCP_CLOSE && !record.has_more)
		bpf_map_delete_elem(&connections, &key);
}

#endif
