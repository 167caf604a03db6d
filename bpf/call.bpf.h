/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A socket call of a target has returned: find its connection, decide whether it is HTTP, report it. */
#ifndef L7PROF_CALL_H
#define L7PROF_CALL_H

#include "body.bpf.h"
#include "call-time.bpf.h"
#include "payload.bpf.h"
#include "peer.bpf.h"
#include "quic.bpf.h"
#include "sniff.bpf.h"
#include "socket.bpf.h"
#include "state.bpf.h"
#include "syscalls.bpf.h"
#include "tcp.bpf.h"
#include "tls.bpf.h"

static __always_inline void set_message(struct transfer *transfer, u64 address)
{
	struct user_msghdr message;

	if (bpf_probe_read_user(&message, sizeof(message), (void *)address))
		return;
	transfer->peer = (u64)message.msg_name;
	transfer->has_control = message.msg_control != NULL;
	transfer->vectors = (u64)message.msg_iov;
	transfer->vector_count = message.msg_iovlen;
}

/* The bytes that the call moved; false if it moved none of the stream. `ret` > 0, or 0 for the end of a read. */
static __always_inline bool describe(struct transfer *transfer, struct pt_regs *regs, u8 call, u32 ret)
{
	u32 flags = 0;

	transfer->call = call;
	transfer->length = ret;
	transfer->is_write = call >= CALL_WRITE && call <= CALL_SPLICE;
	switch (call) {
	case CALL_RECVFROM:
		flags = SYSCALL_ARG3(regs);
		/* fallthrough */
	case CALL_SENDTO:
		transfer->peer = SYSCALL_ARG4(regs);
		/* fallthrough */
	case CALL_READ:
	case CALL_WRITE:
		transfer->buffer = SYSCALL_ARG1(regs);
		break;
	case CALL_READV:
	case CALL_WRITEV:
		transfer->vectors = SYSCALL_ARG1(regs);
		transfer->vector_count = SYSCALL_ARG2(regs);
		break;
	case CALL_RECVMSG:
		flags = SYSCALL_ARG2(regs);
		set_message(transfer, SYSCALL_ARG1(regs));
		break;
	case CALL_SENDMSG:
		set_message(transfer, SYSCALL_ARG1(regs));
		break;
	case CALL_RECVMMSG:
		flags = SYSCALL_ARG3(regs);
		/* fallthrough */
	case CALL_SENDMMSG:
		transfer->messages = SYSCALL_ARG1(regs);
		transfer->vector_count = ret;
		transfer->length = length_of_messages(SYSCALL_ARG1(regs), ret);
		break;
	}
	if (flags & MSG_TRUNC) { /* tcp(7): the bytes are discarded, not copied */
		transfer->buffer = 0;
		transfer->vectors = 0;
		transfer->messages = 0;
	}
	return !(flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE));
}

/* A connection seen for the first time, or NULL if it is none that could carry HTTP or QUIC. */
static __always_inline struct connection *add_connection(struct socket_ref *ref)
{
	struct connection entry = { .inode = ref->inode, .state = CONNECTION_SNIFFED };
	struct sock *sk = ref->sk;
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	u16 protocol = BPF_CORE_READ(sk, sk_protocol);
	u64 key = (u64)sk;

	if (is_udp(sk, family, protocol)) {
		if (is_dns(sk))
			return NULL;
		entry.state = is_wanted_datagram(sk) ? CONNECTION_DATAGRAMS : CONNECTION_IGNORED;
	} else if (!is_stream_socket(sk)) {
		return NULL;
	} else if (family == AF_INET || family == AF_INET6) {
		if (protocol != IPPROTO_TCP && protocol != IPPROTO_MPTCP)
			return NULL;
		entry.is_tcp = protocol == IPPROTO_TCP;
		if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_CLOSE)
			return NULL; /* the peer has reset it during this very call: its end has been told */
		if (!is_wanted_port(BPF_CORE_READ(sk, __sk_common.skc_num),
				    __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport))))
			entry.state = CONNECTION_IGNORED;
	} else if (family != AF_UNIX || config.port_count) {
		return NULL;
	} else {
		entry.is_whole = is_unused_unix(ref);
	}
	bpf_map_update_elem(&connections, &key, &entry, BPF_ANY);
	return bpf_map_lookup_elem(&connections, &key);
}

static __always_inline bool is_first_call(struct connection *connection, struct transfer *transfer)
{
	return connection->in_position + connection->out_position == transfer->length;
}

/* Looks at the first bytes of a call; true if the connection is followed from this call on. */
static __always_inline bool is_http(struct connection *connection, struct socket_ref *ref, struct scratch *scratch,
				    struct transfer *transfer, struct task_struct *task, u32 fd)
{
	bool fresh = connection->is_tcp ? is_fresh(ref->sk, transfer->is_write, transfer->moved) :
					  connection->is_whole && is_first_call(connection, transfer);
	u8 flags = (fresh ? FLAG_FRESH : 0) | (transfer->is_write ? FLAG_WRITE : 0);
	u8 kind = connection->is_tcp && is_kernel_tls(ref->sk) ? SNIFFED_TLS :
								  sniff(copy_head(scratch, transfer, SNIFF_BYTES));

	if (kind == SNIFFED_HTTP || (kind == SNIFFED_SHORT && fresh)) {
		if (!emit_open(scratch, task, ref, EVENT_OPEN, flags, transfer->length))
			return false; /* user space would not know whose data this is: the next message tries again */
		connection->state = CONNECTION_FOLLOWED;
		if (!connection->is_tcp) {
			u64 key = (bpf_get_current_pid_tgid() >> 32 << 32) | fd;
			struct unix_descriptor descriptor = { .socket = (u64)ref->sk, .inode = ref->inode };

			bpf_map_update_elem(&unix_descriptors, &key, &descriptor, BPF_ANY);
		}
		return true;
	}
	if (kind == SNIFFED_TLS) {
		connection->state = CONNECTION_OPAQUE;
		emit_open(scratch, task, ref, EVENT_OPAQUE, flags, 0);
		find_peer_once(connection, ref, transfer->is_write);
		ciphertext_moved(ref, scratch, transfer, fresh);
	} else if (fresh && kind != SNIFFED_HTTP2) {
		connection->state = CONNECTION_IGNORED;
	}
	return false;
}

/*
 * TCP is ahead of a call that is told of late: others may have moved bytes since, and will be told of next. Such calls
 * come in their order, so each goes on where the last one ended.
 */
static __always_inline void go_back(struct connection *connection, struct transfer *transfer, u32 *in, u32 *out)
{
	u32 told_in = connection->in_position, told_out = connection->has_silent_sends ? 0 : connection->out_position;

	if (told_in && !transfer->is_write)
		told_in += transfer->length;
	if (told_out && transfer->is_write)
		told_out += transfer->length;
	if (told_in && (s32)(*in - told_in) > 0) {
		transfer->moved += transfer->is_write ? 0 : *in - told_in;
		*in = told_in;
	}
	if (told_out && (s32)(*out - told_out) > 0) {
		transfer->moved += transfer->is_write ? *out - told_out : 0;
		*out = told_out;
	}
	if (!connection->in_position)
		connection->in_position = *in;
	if (!connection->out_position)
		connection->out_position = *out;
}

/* Where in the two streams the call stands: TCP's own count, or for other sockets ours. */
static __always_inline void set_positions(struct data_event *record, struct connection *connection,
					  struct socket_ref *ref, struct transfer *transfer)
{
	u32 in = connection->in_position, out = connection->out_position;

	record->srtt_us = 0;
	if (connection->is_tcp) {
		struct tcp_sock *tcp = (struct tcp_sock *)ref->sk;

		record->event.flags |= FLAG_ABSOLUTE | FLAG_RETRANSMITS;
		record->event.retransmits = FIELD(tcp_sock, tcp, total_retrans);
		record->srtt_us = FIELD(tcp_sock, tcp, srtt_us) >> 3; /* the kernel keeps eighths */
		in = FIELD(tcp_sock, tcp, copied_seq);
		out = FIELD(tcp_sock, tcp, write_seq);
		if (transfer->is_deferred)
			go_back(connection, transfer, &in, &out);
		if (transfer->is_write || !connection->out_position)
			connection->out_position = out;
		if (!transfer->is_write || !connection->in_position)
			connection->in_position = in;
	} else if (transfer->is_write) {
		connection->out_position = out += transfer->length;
	} else {
		connection->in_position = in += transfer->length;
	}
	record->position = (transfer->is_write ? out : in) - transfer->length;
	record->other_position = transfer->is_write ? in : out;
}

/* The kernel encrypts, and the call may be none of the library's. One with a control message is: an alert, perhaps. */
static __always_inline bool is_beside_library(struct connection *connection, struct socket_ref *ref,
					      struct transfer *transfer)
{
	return connection->is_tcp && !transfer->has_control && is_kernel_tls(ref->sk);
}

/* The call is told of, if its connection is followed, or is from now on. */
static __always_inline void tell(struct task_struct *task, struct connection *connection, struct scratch *scratch,
				 struct socket_ref *ref, struct transfer *transfer, u32 fd)
{
	u32 head, limit;
	u64 size;

	set_positions(&scratch->event, connection, ref, transfer);
	if (connection->state == CONNECTION_SNIFFED &&
	    (!transfer->length || !is_http(connection, ref, scratch, transfer, task, fd)))
		return;
	find_peer_once(connection, ref, transfer->is_write);
	sample_tcp(connection, ref, scratch->event.event.time_ns);
	limit = copy_limit(connection, scratch, transfer);
	head = copy_head(scratch, transfer, limit < HEAD_BYTES ? limit : HEAD_BYTES);
	if (transfer->length > HEAD_BYTES && head == HEAD_BYTES) {
		scratch->transfer = *transfer;
		scratch->wanted = limit < transfer->length ? limit : transfer->length;
		report_pieces();
		return;
	}
	scratch->event.length = transfer->length;
	scratch->event.head_bytes = head;
	scratch->event.tail_bytes = 0;
	size = head;
	barrier_var(size); /* so that the bound is checked on the register that is used */
	if (size > HEAD_BYTES) /* never; tells the verifier */
		return;
	emit(scratch, sizeof(struct data_event) + add_call_start(scratch, size), transfer->length);
	if (head == transfer->length && is_head_alone(scratch, head))
		expect_body(connection, scratch, head, transfer->is_write);
}

static __always_inline void report(struct task_struct *task, struct socket_ref *ref, struct transfer *transfer, u32 fd)
{
	struct scratch *scratch = scratch_of_cpu();
	u64 key = (u64)ref->sk;
	struct connection *connection = bpf_map_lookup_elem(&connections, &key);

	if (!connection || connection->inode != ref->inode)
		connection = add_connection(ref);
	if (!connection || !scratch)
		return;
	if (connection->state >= CONNECTION_IGNORED) {
		if (connection->state >= CONNECTION_DATAGRAMS) {
			datagrams_moved(connection, ref, scratch, transfer);
			return;
		}
		if (connection->state >= CONNECTION_OPAQUE) {
			find_peer_once(connection, ref, transfer->is_write);
			sample_tcp(connection, ref, bpf_ktime_get_ns());
		}
		if (connection->state == CONNECTION_OPAQUE ||
		    (connection->state == CONNECTION_BOUND && is_beside_library(connection, ref, transfer)))
			ciphertext_moved(ref, scratch, transfer, false);
		else if (connection->state == CONNECTION_IGNORED && config.port_count && config.is_reading_tls)
			unwanted_moved(transfer->goroutine);
		return;
	}
	if (config.is_timing_calls)
		scratch->start_ns = transfer->is_deferred ? 0 : take_call_start();
	event_init(&scratch->event.event, EVENT_DATA, ref->inode);
	scratch->event.event.call = transfer->call;
	scratch->event.event.flags = (transfer->is_write ? FLAG_WRITE : 0) | (transfer->length ? 0 : FLAG_END);
	transfer->moved = transfer->length;
	/* The peer's reset may come in between, on this processor or another. */
	connection->is_telling = 1;
	tell(task, connection, scratch, ref, transfer, fd);
	connection->is_telling = 0;
}

/* `ret` is not negative. */
static __always_inline void call_returned(struct pt_regs *regs, u8 call, long ret)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct transfer transfer = { .goroutine = GOROUTINE(regs) };
	struct socket_ref ref;
	u32 fd = SYSCALL_ARG0(regs);

	if (is_compat_call(task))
		return;
	if (call == CALL_CLOSE) {
		unix_socket_closed(fd);
		return;
	}
	if (call == CALL_MAP) {
		file_mapped(task, SYSCALL_ARG2(regs), SYSCALL_ARG4(regs));
		return;
	}
	if (!ret && (call >= CALL_WRITE || call == CALL_RECVMMSG || (call <= CALL_RECVFROM && !SYSCALL_ARG2(regs))))
		return; /* nothing was written, or nothing was asked for */
	if (!describe(&transfer, regs, call, ret))
		return;
	if (call == CALL_SPLICE && is_socket(task, SYSCALL_ARG2(regs)))
		fd = SYSCALL_ARG2(regs);
	else if (call == CALL_SPLICE)
		transfer.is_write = false;
	if (socket_of(task, fd, &ref))
		report(task, &ref, &transfer, fd);
}

#endif
