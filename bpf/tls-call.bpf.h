/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A call of a TLS library: what it moved, of which session. */
#ifndef L7PROF_TLS_CALL_H
#define L7PROF_TLS_CALL_H

#include "data.bpf.h"
#include "tls-session.bpf.h"

/* tls_call.kind */
#define TLS_READ 1
#define TLS_WRITE 2
#define TLS_HANDSHAKE 3
#define TLS_INIT 4
#define TLS_TELLS_END 128 /* added to TLS_READ: a result of 0 is the end of what is read, and not "not now" */

#if defined(__TARGET_ARCH_x86)
#define FUNCTION_ARG0(regs) ((regs)->di)
#define FUNCTION_ARG1(regs) ((regs)->si)
#define FUNCTION_ARG3(regs) ((regs)->cx)
#define FUNCTION_ARG4(regs) ((regs)->r8)
#define FUNCTION_RESULT(regs) ((regs)->ax)
#define STACK_AT_ENTRY(regs) ((regs)->sp)
#define ENTRY(regs) ((regs)->ip)
#define STACK_AFTER_RETURN(regs) ((regs)->sp - 8) /* the return address */
#elif defined(__TARGET_ARCH_arm64)
#define FUNCTION_ARG0(regs) ((regs)->regs[0])
#define FUNCTION_ARG1(regs) ((regs)->regs[1])
#define FUNCTION_ARG3(regs) ((regs)->regs[3])
#define FUNCTION_ARG4(regs) ((regs)->regs[4])
#define FUNCTION_RESULT(regs) ((regs)->regs[0])
#define STACK_AT_ENTRY(regs) ((regs)->sp)
#define ENTRY(regs) ((regs)->pc)
#define STACK_AFTER_RETURN(regs) ((regs)->sp)
#endif

static __always_inline void tls_call_begins(struct pt_regs *regs, u8 kind, u64 buffer, u64 length_at)
{
	u64 id = bpf_get_current_pid_tgid(), stack = STACK_AT_ENTRY(regs), session = FUNCTION_ARG0(regs);
	struct tls_call *call, new = { .session = session, .stack = stack, .buffer = buffer, .length_at = length_at,
				       .entry = ENTRY(regs), .kind = kind & ~TLS_TELLS_END, .tells_end = !!(kind & TLS_TELLS_END) };
	struct tls_thread *thread;

	if (!is_reported(current_process_id()))
		return;
	thread = tls_thread_or_new(id);
	if (!thread)
		return;
	if (config.is_timing_calls)
		new.start_ns = bpf_ktime_get_ns();
	/* Now, since what the library calls back may take its time, and sleep. */
	new.follows_read = thread->read_socket && is_same_turn(&thread->read_turn);
	call = &thread->calls[0];
	thread->calls[1].session = 0;
	/* What an exception or longjmp has left behind lies below on the stack, or is of the same function. */
	if (call->session && stack < call->stack && !(call->session == session && call->entry == new.entry)) {
		/*
		 * LibreSSL's SSL_read_ex calls SSL_read, and that is one call. But what a library calls back may write:
		 * to Node a session is ready within the read that has ended its handshake.
		 */
		if (call->session == session && call->kind == new.kind)
			return;
		call = &thread->calls[1];
	}
	*call = new;
}

/* Binds the session if the call shows its connection. `length`: plaintext bytes that the call moved. */
static __always_inline void learn_connection(struct tls_thread *thread, struct scratch *scratch,
					     struct tls_session *session, struct tls_call *call, u32 length)
{
	u32 plain_bytes = call->kind == TLS_READ ? length : 0;
	bool is_given;

	if (call->socket) {
		if (session->socket != call->socket || session->inode != call->inode)
			bind(scratch, session, call->session, call->socket, call->inode);
		return;
	}
	if (session->socket || !thread->read_socket)
		return;
	is_given = plain_bytes ? thread->read_bytes > plain_bytes + 20 :
				 session->is_fresh && thread->is_read_fresh && call->kind != TLS_WRITE;
	if (is_given && call->follows_read)
		bind(scratch, session, call->session, thread->read_socket, thread->read_inode);
}

/* Looks at the first bytes; true if the session is followed from this call on. */
static __always_inline bool is_http_session(struct scratch *scratch, struct tls_session *session,
					    u64 address, struct transfer *transfer)
{
	bool is_fresh = session->is_fresh && !session->stream.in_position && !session->stream.out_position;
	u8 kind = sniff(copy_head(scratch, transfer, SNIFF_BYTES));

	if (kind == SNIFFED_HTTP || (kind == SNIFFED_SHORT && is_fresh)) {
		u8 flags = (is_fresh ? FLAG_FRESH : 0) | (transfer->is_write ? FLAG_WRITE : 0);

		if (!emit_session(scratch, session, address, flags, transfer->length))
			return false;
		session->stream.state = CONNECTION_FOLLOWED;
		return true;
	}
	if (is_fresh && kind != SNIFFED_HTTP2)
		session->stream.state = CONNECTION_IGNORED;
	return false;
}

static __always_inline void emit_plaintext(struct scratch *scratch, struct tls_session *session, u64 address,
					   struct transfer *transfer)
{
	struct connection *stream = &session->stream;

	/* Nobody knows whether its port is wanted. */
	if (stream->state == CONNECTION_SNIFFED && config.port_count && !session->socket)
		return;
	if (stream->state == CONNECTION_SNIFFED &&
	    (!transfer->length || !is_http_session(scratch, session, address, transfer)))
		return;
	emit_data(stream, scratch, transfer);
}

/*
 * What a call of the session moved. How far the streams have come is noted after it was told, so that another thread's
 * read never seems to follow from a write that has not been told of.
 */
static __always_inline void report_plaintext(struct scratch *scratch, struct tls_session *session, u64 address,
					     struct transfer *transfer, u32 other_position)
{
	struct connection *stream = &session->stream;
	struct data_event *record = &scratch->event;

	event_init(&record->event, EVENT_DATA, stream->inode);
	record->event.call = CALL_TLS;
	record->event.flags = FLAG_TLS | (transfer->is_write ? FLAG_WRITE : 0) | (transfer->length ? 0 : FLAG_END);
	record->position = transfer->is_write ? stream->out_position : stream->in_position;
	record->other_position = other_position;
	record->srtt_us = 0;
	if (!transfer->is_write && session->out_begun != stream->out_position)
		record->event.flags |= FLAG_OVERTAKES;
	emit_plaintext(scratch, session, address, transfer);
	if (transfer->is_write)
		session->out_begun = stream->out_position += transfer->length;
	else
		stream->in_position += transfer->length;
}

/* Bytes that the call moved: at least 1, 0 for the end of what is read, or -1. */
static __always_inline long moved_bytes(struct tls_call *call, int result)
{
	u64 length = 0;

	if (call->kind != TLS_READ && call->kind != TLS_WRITE)
		return -1;
	if (result > 0 && call->length_at) {
		if (bpf_probe_read_user(&length, sizeof(length), (void *)call->length_at)) {
			add_atomically(&globals.lost_events, 1);
			return -1;
		}
		return length ? (long)length : -1; /* none: the end of early data, which is not that of what is read */
	}
	if (result > 0)
		return result;
	return result == 0 && call->tells_end ? 0 : -1;
}

static __always_inline void session_was_used(struct tls_thread *thread, struct tls_session *session,
					     struct tls_call *call, u32 length)
{
	thread->read_socket = thread->read_bytes > length + 22 ? thread->read_socket : 0;
	thread->read_bytes -= thread->read_socket ? length + 22 : 0;
	if (session->socket) {
		thread->session = 0;
		thread->read_socket = 0;
		return;
	}
	if (thread->session != call->session)
		thread->plain_bytes = 0;
	thread->session = call->session;
	note_turn(&thread->session_turn);
	thread->plain_bytes += call->kind == TLS_WRITE ? length : 0;
}

static __always_inline void call_of_session_ended(struct tls_thread *thread, struct tls_call *call, int result)
{
	struct transfer transfer = { .buffer = call->buffer, .is_write = call->kind == TLS_WRITE, .call = CALL_TLS };
	struct tls_scratch *claimed = claim_scratch();
	long length = moved_bytes(call, result);
	struct tls_session *session;

	if (!claimed) {
		add_atomically(&globals.lost_events, 1);
		return;
	}
	claimed->scratch.start_ns = call->start_ns;
	session = session_at(claimed, call->session, false);
	if (session) {
		if (call->is_unwanted)
			session->stream.state = CONNECTION_IGNORED;
		learn_connection(thread, &claimed->scratch, session, call, length > 0 ? length : 0);
		transfer.length = length;
		if (length >= 0 && session->stream.state != CONNECTION_IGNORED)
			report_plaintext(&claimed->scratch, session, call->session, &transfer,
					 transfer.is_write ? session->stream.in_position : session->stream.out_position);
		session_was_used(thread, session, call, length > 0 ? length : 0);
	}
	release_scratch(claimed);
}

/*
 * The call that ends here, past its return address or still at it. What an exception has left is not taken for it: at the
 * entry of a function the stack pointer is 8 off a multiple of 16 (System V ABI), so one of both places is none.
 */
static __always_inline struct tls_call *ending_call(struct tls_thread *thread, struct pt_regs *regs)
{
	for (u32 i = 2; i-- > 0;) {
		struct tls_call *call = &thread->calls[i];

		if (call->session && (call->stack == STACK_AFTER_RETURN(regs) || call->stack == STACK_AT_ENTRY(regs)))
			return call;
	}
	return NULL;
}

static __always_inline void tls_call_ends(struct pt_regs *regs)
{
	u64 id = bpf_get_current_pid_tgid(), address;
	struct tls_thread *thread;
	struct tls_call *slot, call;

	if (!is_reported(current_process_id()))
		return;
	thread = tls_thread_of(id);
	slot = thread ? ending_call(thread, regs) : NULL;
	if (!slot)
		return;
	call = *slot;
	slot->session = 0;
	if (call.kind != TLS_INIT)
		call_of_session_ended(thread, &call, (int)FUNCTION_RESULT(regs));
	else if (!bpf_probe_read_user(&address, sizeof(address), (void *)call.session))
		tls_session_begins(address);
}

#endif
