/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The life of a TLS session: it is made, or seen for the first time, and freed. */
#ifndef L7PROF_TLS_SESSION_H
#define L7PROF_TLS_SESSION_H

#include "target.bpf.h"
#include "tls-binding.bpf.h"
#include "tls-scratch.bpf.h"

static __always_inline bool is_reported(u32 pid)
{
	return !globals.is_ending && is_target(pid);
}

/*
 * Makes one if it is seen for the first time: not one that was open before while some functions are probed and others
 * not, since of its messages one would be seen and not its answer.
 */
static __always_inline struct tls_session *session_at(struct tls_scratch *scratch, u64 address, bool is_fresh)
{
	struct tls_key key = { .session = address, .pid = current_process_id() };
	struct tls_session *session = bpf_map_lookup_elem(&tls_sessions, &key);
	struct tls_session new = { .is_fresh = is_fresh };

	if (session || (!is_fresh && globals.is_attaching))
		return session;
	new.stream.inode = next_session(scratch);
	bpf_map_update_elem(&tls_sessions, &key, &new, BPF_ANY);
	return bpf_map_lookup_elem(&tls_sessions, &key);
}

static __always_inline void tls_session_begins(u64 address)
{
	struct tls_key key = { .session = address, .pid = current_process_id() };
	struct tls_scratch *claimed;

	if (!address || !is_reported(key.pid))
		return;
	claimed = claim_scratch();
	if (!claimed)
		return; /* its first call makes it, then */
	bpf_map_delete_elem(&tls_sessions, &key);
	session_at(claimed, address, true);
	release_scratch(claimed);
}

static __always_inline void tls_session_ends(u64 address)
{
	struct tls_key key = { .session = address, .pid = current_process_id() };
	struct state_event record = { .state = TCP_CLOSE, .shutdown = 3 };
	struct tls_session *session;
	struct connection *connection;
	u64 socket;

	if (!is_reported(key.pid))
		return;
	forget_calls(address);
	session = bpf_map_lookup_elem(&tls_sessions, &key);
	if (!session)
		return;
	if (session->stream.state == CONNECTION_FOLLOWED) {
		event_init(&record.event, EVENT_STATE, session->stream.inode);
		record.event.flags = FLAG_TLS;
		record.in_position = session->stream.in_position;
		record.out_position = session->stream.out_position;
		emit(&record, sizeof(record), 0);
	}
	socket = session->socket;
	connection = bpf_map_lookup_elem(&connections, &socket);
	if (connection && connection->state == CONNECTION_BOUND && connection->session == address)
		connection->state = CONNECTION_OPAQUE; /* another session may follow */
	bpf_map_delete_elem(&tls_sessions, &key);
}

#endif
