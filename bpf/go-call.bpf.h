/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A call of Go's crypto/tls: what it moved, of which session. Breakpoints are behind its entry and at each of its
 * returns (src/kernel/tls/go/code.ts); Go passes arguments and results in registers of its own choice since 1.17
 * (cmd/compile/abi-internal.md).
 */
#ifndef L7PROF_GO_CALL_H
#define L7PROF_GO_CALL_H

#include "go.bpf.h"
#include "tls-call.bpf.h"

#if defined(__TARGET_ARCH_x86)
#define GO_ARG0(regs) ((regs)->ax) /* receiver; the first result */
#define GO_ARG1(regs) ((regs)->bx) /* the slice's data; the error's type */
#define GO_ARG2(regs) ((regs)->cx) /* the slice's length; the error's data */
#elif defined(__TARGET_ARCH_arm64)
#define GO_ARG0(regs) ((regs)->regs[0])
#define GO_ARG1(regs) ((regs)->regs[1])
#define GO_ARG2(regs) ((regs)->regs[2])
#endif

/* In the cookie of an instruction that returns, beside the kind: the arguments are still above the return address. */
#define GO_KEEPS_ARGUMENTS 128

/* Another goroutine may read the answer before the write has returned: from now on its reads tell of that. */
static __always_inline void go_write_begins(struct go_call *call)
{
	struct tls_session *session = session_of(call->session);
	struct tls_scratch *claimed;

	if (!session) {
		claimed = claim_scratch();
		if (!claimed)
			return;
		session = session_at(claimed, call->session, false);
		release_scratch(claimed);
	}
	if (!session)
		return;
	session->out_begun = session->stream.out_position + call->length;
	call->in_position = session->stream.in_position;
}

static __always_inline void go_call_begins(struct pt_regs *regs, u8 kind)
{
	u64 goroutine = GOROUTINE(regs);
	struct go_call call = { .session = GO_ARG0(regs), .stack = regs->sp, .stack_end = go_stack_end(goroutine),
				.buffer = GO_ARG1(regs), .length = GO_ARG2(regs), .kind = kind,
				.start_ns = config.is_timing_calls ? bpf_ktime_get_ns() : 0 };
	struct go_calls *calls;
	u32 i;

	if (kind == TLS_WRITE)
		go_write_begins(&call);
	calls = calls_of_goroutine_or_new(goroutine);
	if (!calls)
		return;
	calls->ended = 0;
	for (i = 0; i < GO_CALLS - 1; i++) {
		struct go_call *around = &calls->calls[i];

		if (!around->session || deeper_by(around, call.stack, call.stack_end) <= 0)
			break;
		/* Read and Write do the handshake if nobody has; only now the session is what they are of. */
		if (kind == TLS_HANDSHAKE && around->session == call.session) {
			if (around->kind == TLS_WRITE)
				go_write_begins(around);
			return;
		}
	}
	calls->calls[i & (GO_CALLS - 1)] = call;
	forget_inside(calls, i);
}

/* io.EOF: an error that consists of this text. */
static __always_inline bool is_end_of_file(struct pt_regs *regs)
{
	struct {
		u64 text, length;
	} string;
	char text[3];

	if (!GO_ARG1(regs) || bpf_probe_read_user(&string, sizeof(string), (void *)GO_ARG2(regs)) || string.length != 3)
		return false;
	return !bpf_probe_read_user(text, sizeof(text), (void *)string.text) && text[0] == 'E' && text[1] == 'O' &&
	       text[2] == 'F';
}

static __always_inline void report_end(struct scratch *scratch, struct tls_session *session)
{
	struct data_event *record = &scratch->event;

	event_init(&record->event, EVENT_DATA, session->stream.inode);
	record->event.call = CALL_TLS;
	record->event.flags = FLAG_TLS | FLAG_END;
	record->length = record->head_bytes = record->tail_bytes = record->srtt_us = 0;
	record->position = session->stream.in_position;
	record->other_position = session->stream.out_position;
	emit(record, sizeof(*record), 0);
}

/* It moved `length` bytes, and `is_end`: there are no more to read. */
static __always_inline void report_go_call(struct go_call *go, u32 length, bool is_end)
{
	struct transfer transfer = { .buffer = go->buffer, .is_write = go->kind == TLS_WRITE, .call = CALL_TLS,
				     .length = length };
	struct tls_scratch *claimed = claim_scratch();
	struct tls_session *session;

	if (!claimed) {
		add_atomically(&globals.lost_events, 1);
		return;
	}
	claimed->scratch.start_ns = go->start_ns;
	session = session_at(claimed, go->session, false);
	if (session) {
		if (go->is_unwanted)
			session->stream.state = CONNECTION_IGNORED;
		if (go->socket && (session->socket != go->socket || session->inode != go->inode))
			bind(&claimed->scratch, session, go->session, go->socket, go->inode);
		if (length && session->stream.state != CONNECTION_IGNORED)
			report_plaintext(&claimed->scratch, session, go->session, &transfer,
					 transfer.is_write ? go->in_position : session->out_begun);
		if (is_end && session->stream.state == CONNECTION_FOLLOWED)
			report_end(&claimed->scratch, session);
	}
	release_scratch(claimed);
}

static __always_inline void go_write_failed(struct go_call *call)
{
	struct tls_session *session = session_of(call->session);

	if (session)
		session->out_begun = session->stream.out_position;
}

/* From where the caller has left a place for them. */
static __always_inline bool read_arguments(struct pt_regs *regs, struct go_call *go)
{
	struct {
		u64 session, buffer;
	} arguments;

	if (bpf_probe_read_user(&arguments, sizeof(arguments), (void *)(regs->sp + 8)) || !arguments.session)
		return false;
	go->session = arguments.session;
	go->buffer = arguments.buffer;
	return true;
}

/* The call that returns here; false if it is not known, or another probe at the same place has told of it already. */
static __always_inline bool find_go_call(struct pt_regs *regs, u64 stack_end, struct go_call *call)
{
	struct go_calls *calls = calls_of_goroutine_or_new(GOROUTINE(regs));
	u8 cookie;

	if (calls && calls->ended == regs->sp)
		return false; /* a file that is probed twice, as by two file systems that overlay a third */
	if (calls)
		calls->ended = regs->sp;
	if (calls && take_go_call(calls, regs->sp, stack_end, call))
		return true;
	cookie = config.has_cookies ? bpf_get_attach_cookie(regs) : 0;
	call->kind = cookie & ~GO_KEEPS_ARGUMENTS;
	if (calls && take_innermost_call(calls, call->kind, stack_end, call))
		return true;
	return cookie & GO_KEEPS_ARGUMENTS && read_arguments(regs, call); /* its beginning was not seen */
}

static __always_inline void go_call_ends(struct pt_regs *regs)
{
	u64 end = go_stack_end(GOROUTINE(regs));
	struct go_call call = { .stack_end = end };
	long length = GO_ARG0(regs);
	bool is_end;

	if (!find_go_call(regs, end, &call))
		return;
	/* The stack was moved, and a buffer on it as well. */
	if (call.buffer < call.stack_end && call.buffer >= call.stack)
		call.buffer += stack_moved_by(&call, end);
	if (call.kind == TLS_HANDSHAKE || length < 0)
		length = 0;
	is_end = call.kind == TLS_READ && is_end_of_file(regs);
	if (call.kind == TLS_WRITE && !length)
		go_write_failed(&call);
	if (length || is_end || call.socket || call.is_unwanted)
		report_go_call(&call, length, is_end);
}

/* Of one that has ended, the tls.Conn may have made room for another at the same address. */
static __always_inline bool is_open_both_ways(struct connection *connection)
{
	return !connection->tcp_state || connection->tcp_state == TCP_ESTABLISHED;
}

/* A tls.Conn begins its first handshake, or on the same connection another one. */
static __always_inline void go_session_begins(struct pt_regs *regs)
{
	u64 address = GO_ARG0(regs);
	struct tls_session *session = session_of(address);
	u64 socket = session ? session->socket : 0;
	struct connection *connection = socket ? bpf_map_lookup_elem(&connections, &socket) : NULL;

	if (connection && connection->state == CONNECTION_BOUND && connection->inode == session->inode &&
	    connection->session == address && is_open_both_ways(connection))
		return;
	tls_session_ends(address); /* of another that was there */
	tls_session_begins(address);
}

#endif
