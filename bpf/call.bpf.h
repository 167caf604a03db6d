/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A socket call of a target has returned: find its connection, decide whether it is HTTP, report it. */
#ifndef L7PROF_CALL_H
#define L7PROF_CALL_H

#include "arguments.bpf.h"
#include "call-time.bpf.h"
#include "data.bpf.h"
#include "mapped.bpf.h"
#include "peer.bpf.h"
#include "positions.bpf.h"
#include "quic.bpf.h"
#include "sniff.bpf.h"
#include "socket.bpf.h"
#include "state.bpf.h"
#include "syscalls.bpf.h"
#include "tcp.bpf.h"
#include "tls-binding.bpf.h"

/* A connection of which `length` bytes are the first that we see, or NULL if it is none that could carry HTTP or QUIC. */
static __always_inline struct connection *add_connection(struct socket_ref *ref, u32 length)
{
	struct connection entry = { .inode = ref->inode, .state = CONNECTION_SNIFFED, .is_telling = length > 0 };
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
		/* The peer has reset it, and what came before that is read all the same. */
		if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_CLOSE) {
			if (!length)
				return NULL;
			entry.error = BPF_CORE_READ(sk, sk_err);
		}
		if (!is_wanted_port(local_port_of(sk), __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport))))
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
	set_positions(&scratch->event, connection, ref, transfer);
	if (connection->state == CONNECTION_SNIFFED &&
	    (!transfer->length || !is_http(connection, ref, scratch, transfer, task, fd)))
		return;
	find_peer_once(connection, ref, transfer->is_write);
	sample_tcp(connection, ref, scratch->event.event.time_ns);
	emit_data(connection, scratch, transfer);
}

static __always_inline void report(struct task_struct *task, struct socket_ref *ref, struct transfer *transfer, u32 fd)
{
	struct scratch *scratch = scratch_of_cpu();
	u64 key = (u64)ref->sk;
	struct connection *connection = bpf_map_lookup_elem(&connections, &key);

	if (!connection || connection->inode != ref->inode)
		connection = add_connection(ref, transfer->length);
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
