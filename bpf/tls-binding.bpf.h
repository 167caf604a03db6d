/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which connection a TLS session runs on. No structure of a TLS library is known here: it shows in the socket calls
 * around those of the library (bpf/tls.bpf.c).
 *
 *   nested   a socket call inside a call of the library is the session's own.
 *   around   a library that works on memory (memory BIOs: Node, Python's asyncio) is given what the thread has just
 *            read, and the thread then writes what it is given. Taken as the same only with proof: the sizes fit
 *            (ciphertext is a little longer than its plaintext), or both have just begun.
 */
#ifndef L7PROF_TLS_BINDING_H
#define L7PROF_TLS_BINDING_H

#include "go.bpf.h"
#include "socket.bpf.h"
#include "tls-thread.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct tls_key);
	__type(value, struct tls_session);
} tls_sessions SEC(".maps");

static __always_inline bool emit_session(struct scratch *scratch, struct tls_session *session, u64 address, u8 flags,
					 u32 moved_bytes)
{
	struct open_event *record = &scratch->open;
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	__builtin_memset(record, 0, sizeof(*record));
	event_init(&record->event, EVENT_OPEN, session->stream.inode);
	record->event.flags = flags | FLAG_TLS;
	record->socket = address;
	if (session->socket)
		read_addresses((struct sock *)session->socket, record);
	BPF_CORE_READ_STR_INTO(&record->comm, task, group_leader, comm);
	return emit(record, sizeof(*record), moved_bytes);
}

/* The opaque connection, if it is still there. */
static __always_inline struct connection *opaque_connection(u64 socket, u32 inode)
{
	struct connection *connection = bpf_map_lookup_elem(&connections, &socket);

	return connection && connection->inode == inode && connection->state == CONNECTION_OPAQUE ? connection : NULL;
}

static __always_inline void bind(struct scratch *scratch, struct tls_session *session, u64 address, u64 socket,
				 u32 inode)
{
	struct connection *connection = opaque_connection(socket, inode);
	struct bound_event record = {};

	if (!connection)
		return;
	connection->session = address;
	connection->session_pid = current_process_id();
	connection->state = CONNECTION_BOUND;
	session->socket = socket;
	session->inode = inode;
	event_init(&record.event, EVENT_BOUND, inode);
	record.event.flags = session->is_fresh ? 0 : FLAG_LATE;
	record.session = session->stream.inode;
	emit(&record, sizeof(record), 0);
	if (session->stream.state == CONNECTION_FOLLOWED) /* user space knows it without its addresses */
		emit_session(scratch, session, address, 0, 0);
}

static __always_inline struct tls_session *session_of(u64 address)
{
	struct tls_key key = { .session = address, .pid = current_process_id() };

	return bpf_map_lookup_elem(&tls_sessions, &key);
}

/* Every record of TLS is longer than its plaintext, by 22 bytes at least and not by much. */
static __always_inline bool is_ciphertext_of(u32 cipher_bytes, u32 plain_bytes)
{
	return cipher_bytes > plain_bytes + 20 && cipher_bytes <= plain_bytes + plain_bytes / 8 + 1024;
}

/* Outside of any call of the library: true if what was written is the session's that was called last. */
static __always_inline bool bind_write(struct tls_thread *thread, struct scratch *scratch, struct socket_ref *ref,
				       u32 length, bool is_fresh)
{
	struct tls_session *session;

	if (!thread->session || !is_same_turn(&thread->session_turn))
		return false;
	session = session_of(thread->session);
	if (!session || session->socket)
		return false;
	if (!(is_fresh && session->is_fresh && !thread->plain_bytes) &&
	    !(thread->plain_bytes && is_ciphertext_of(length, thread->plain_bytes)))
		return false;
	bind(scratch, session, thread->session, (u64)ref->sk, ref->inode);
	thread->session = 0;
	return true;
}

static __always_inline void remember_read(u64 id, struct socket_ref *ref, u32 length, bool is_fresh)
{
	struct tls_thread *thread = tls_thread_or_new(id);

	if (!thread)
		return;
	thread->read_socket = (u64)ref->sk;
	thread->read_inode = ref->inode;
	thread->read_bytes = length;
	note_turn(&thread->read_turn);
	thread->is_read_fresh = is_fresh;
}

/* A call on an opaque connection has returned. Not inline: the stack of its own is free again when it returns. */
static __attribute__((noinline, unused)) void ciphertext_moved(struct socket_ref *ref, struct scratch *scratch,
					     struct transfer *transfer, bool is_fresh)
{
	u64 id = bpf_get_current_pid_tgid();
	struct tls_thread *thread = config.is_reading_tls ? tls_thread_of(id) : NULL;
	struct tls_call *call = thread ? innermost_tls_call(thread) : NULL;
	struct go_call *go = config.is_reading_tls ? go_call_around(transfer->goroutine) : NULL;
	struct data_event *record = &scratch->event;

	if (go) {
		go->socket = (u64)ref->sk;
		go->inode = ref->inode;
		return;
	}
	if (call) {
		call->socket = (u64)ref->sk;
		call->inode = ref->inode;
		return; /* it is bound when the call returns */
	}
	if (thread && transfer->is_write && bind_write(thread, scratch, ref, transfer->length, is_fresh))
		return;
	if (config.is_reading_tls && !transfer->is_write && transfer->length)
		remember_read(id, ref, transfer->length, is_fresh);
	event_init(&record->event, EVENT_DATA, ref->inode);
	record->event.call = transfer->call;
	record->event.flags = FLAG_CIPHER | (transfer->is_write ? FLAG_WRITE : 0) |
			      (is_kernel_tls(ref->sk) ? FLAG_KERNEL_TLS : 0);
	record->length = transfer->length;
	record->head_bytes = record->tail_bytes = 0;
	record->position = record->other_position = record->srtt_us = 0;
	emit(record, sizeof(*record), 0);
}

/* A call on a connection with a port that is not wanted: neither is the session that made it. */
static __always_inline void unwanted_moved(u64 goroutine)
{
	struct go_call *go = go_call_around(goroutine);
	struct tls_thread *thread = tls_thread_of(bpf_get_current_pid_tgid());
	struct tls_call *call = thread ? innermost_tls_call(thread) : NULL;

	if (call)
		call->is_unwanted = 1;
	if (go)
		go->is_unwanted = 1;
}

/* `is_writing`: a call of the library that writes has not returned, though its answer may have been read already. */
static __always_inline void emit_end_of_session(struct tls_session *session, struct state_event *record, bool is_writing)
{
	u8 has_more = record->has_more, shutdown = record->shutdown;

	event_init(&record->event, EVENT_STATE, session->stream.inode);
	record->event.flags = FLAG_TLS;
	record->in_position = session->stream.in_position;
	record->out_position = session->out_begun;
	if (is_writing) {
		record->has_more |= MORE_RETURNING;
		record->shutdown = 0;
	}
	emit(record, sizeof(*record), 0);
	record->has_more = has_more;
	record->shutdown = shutdown;
}

/* The connection of a session has changed its state; when it has ended, the session is looked at afresh. */
static __always_inline void bound_state_changed(struct connection *connection, struct state_event *record)
{
	struct tls_key key = { .session = connection->session, .pid = connection->session_pid };
	struct tls_session *session = bpf_map_lookup_elem(&tls_sessions, &key);
	bool is_writing;

	if (record->state == TCP_CLOSE) {
		event_init(&record->event, EVENT_STATE, connection->inode);
		emit(record, sizeof(*record), 0);
	}
	if (!session || session->inode != connection->inode)
		return;
	is_writing = session->out_begun != session->stream.out_position;
	if (session->stream.state == CONNECTION_FOLLOWED && (!is_writing || record->state == TCP_CLOSE))
		emit_end_of_session(session, record, is_writing);
	if (record->state == TCP_CLOSE && !record->has_more) {
		if (!is_writing)
			session->stream.state = CONNECTION_SNIFFED;
		session->socket = 0;
		session->is_fresh = 0;
	}
}

#endif
