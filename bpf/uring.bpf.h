/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What goes through io_uring passes through no system call of its own. Its tracepoints fire for who uses it alone: at
 * the submission of a request, and at its completion, before the process can know of it, in a thread that has its
 * memory (itself, or a worker of the ring). So the buffer is read at the completion, where the length is known.
 *
 * A request's kernel structures are used again as soon as its work is done, which may be before it completes:
 * completions come in batches. What is needed of them is noted at the submission.
 */
#ifndef L7PROF_URING_H
#define L7PROF_URING_H

#include "uring-requests.bpf.h"

/* Notes where the streams stand before the request, unless bytes of earlier ones may have gone by untold. */
static __always_inline void meet_connection(struct task_struct *task, struct socket_ref *ref, u32 fd, bool is_write,
					    bool is_silent)
{
	struct tcp_sock *tcp = (struct tcp_sock *)ref->sk;
	u64 key = (u64)ref->sk;
	struct connection *connection = bpf_map_lookup_elem(&connections, &key);

	if (!connection || connection->inode != ref->inode) {
		connection = add_connection(ref, 0);
		if (!connection)
			return;
		remember_owner(task, ref, FIELD(sock_common, ref->sk, skc_family), false);
		if (!connection->is_tcp) {
			u64 descriptor_key = (bpf_get_current_pid_tgid() >> 32 << 32) | fd;
			struct unix_descriptor descriptor = { .socket = (u64)ref->sk, .inode = ref->inode };

			bpf_map_update_elem(&unix_descriptors, &descriptor_key, &descriptor, BPF_ANY);
		}
	}
	if (is_silent) {
		connection->has_silent_sends = true;
		connection->is_whole = false;
	}
	if (!connection->is_tcp)
		return;
	if (!connection->in_position || !is_write)
		connection->in_position = FIELD(tcp_sock, tcp, copied_seq);
	if (!connection->out_position || (is_write && !connection->pending_sends))
		connection->out_position = FIELD(tcp_sock, tcp, write_seq);
	if (is_write && !is_silent && connection->pending_sends < 255)
		connection->pending_sends++;
}

static __always_inline bool is_ignored(struct socket_ref *ref)
{
	u64 key = (u64)ref->sk;
	struct connection *connection = bpf_map_lookup_elem(&connections, &key);

	return connection && connection->inode == ref->inode && connection->state == CONNECTION_IGNORED;
}

static __always_inline bool is_followed(struct socket_ref *ref)
{
	u64 key = (u64)ref->sk;
	struct connection *connection = bpf_map_lookup_elem(&connections, &key);

	return connection && connection->inode == ref->inode && connection->state == CONNECTION_FOLLOWED;
}

/* Says, once for each connection, that there are bytes which can't be read. */
static __always_inline void tell_unreadable(struct task_struct *task, struct socket_ref *ref, bool is_write)
{
	struct scratch *scratch = scratch_of_cpu();
	u64 key = (u64)ref->sk;
	struct connection *connection = bpf_map_lookup_elem(&connections, &key);

	if (!connection || connection->inode != ref->inode)
		connection = add_connection(ref, 0);
	if (!scratch || !connection || connection->is_unreadable || connection->state >= CONNECTION_IGNORED)
		return;
	connection->is_unreadable = true;
	emit_open(scratch, task, ref, EVENT_UNREADABLE, is_write ? FLAG_WRITE : 0, 0);
}

/* The file is found by its number: the request gets it only later. */
static __always_inline void uring_submitted(struct io_kiocb *req)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	u8 operation = BPF_CORE_READ(req, opcode), call;
	u32 flags = BPF_CORE_READ(req, flags), fd = BPF_CORE_READ(req, cqe.fd);
	struct socket_ref ref;
	bool is_silent, is_known;

	if (operation >= OPS)
		return;
	call = call_of_operation[operation];
	if (!call || call == CALL_CLOSE)
		return;
	is_known = !(flags & SQE_FIXED_FILE);
	if (is_known && (!socket_of(task, fd, &ref) || !is_stream_socket(ref.sk)))
		return;
	is_silent = flags & SQE_CQE_SKIP && call >= CALL_WRITE;
	if (is_known) {
		meet_connection(task, &ref, fd, call >= CALL_WRITE, is_silent);
		if (is_ignored(&ref))
			return;
		if (is_silent || operation == OP_RECV_ZC)
			tell_unreadable(task, &ref, is_silent);
	}
	if (!is_silent) /* nothing would ever forget it */
		note_request(req, operation);
}

/* A multishot recvmsg puts a header (struct io_uring_recvmsg_out) before the bytes. */
static __always_inline bool has_header(struct io_sr_msg *sr, u8 operation)
{
	return operation == OP_RECVMSG && BPF_CORE_READ(sr, flags) & RECVSEND_MULTISHOT;
}

/* Into a buffer of the ring's choice: where it ended, the message's iterator tells. */
static __always_inline void describe_chosen(struct transfer *transfer, struct io_async_msghdr *message,
					    struct io_sr_msg *sr, u8 operation)
{
	u64 end;

	if (!bpf_core_field_exists(struct iov_iter, ubuf) || !message || BPF_CORE_READ(message, msg.msg_iter.iter_type) !=
				bpf_core_enum_value(enum iter_type, ITER_UBUF))
		return;
	end = (u64)BPF_CORE_READ(message, msg.msg_iter.ubuf) + BPF_CORE_READ(message, msg.msg_iter.iov_offset);
	if (has_header(sr, operation)) /* which the result counts, too */
		transfer->length = BPF_CORE_READ(message, msg.msg_iter.iov_offset);
	if (BPF_CORE_READ(message, msg.msg_iter.iov_offset) >= transfer->length)
		transfer->buffer = end - transfer->length;
}

static __always_inline void describe_uring(struct transfer *transfer, struct io_kiocb *req, u8 operation, bool is_many,
					   u32 cqe_flags)
{
	bool is_chosen = cqe_flags & CQE_F_BUFFER;
	struct io_sr_msg *sr = (struct io_sr_msg *)req;
	struct uring_request *request;
	struct scratch *scratch;
	u64 key = (u64)req;

	request = bpf_map_lookup_elem(&uring_requests, &key);
	if (is_chosen) {
		struct io_async_msghdr *message = is_many ? BPF_CORE_READ(req, async_data) : request ? request->message : NULL;
		u64 message_key = (u64)message;
		u64 *holder = is_many ? &key : bpf_map_lookup_elem(&uring_messages, &message_key);

		if (is_message_operation(operation) && holder && *holder == key)
			describe_chosen(transfer, message, sr, operation);
		else if (!is_many && request && request->next_buffer_id == cqe_flags >> CQE_BUFFER_SHIFT)
			transfer->buffer = request->next_buffer;
		else if (operation == OP_READ)
			transfer->buffer = BPF_CORE_READ((struct io_rw *)req, addr);
		if (!transfer->buffer && !request && operation == OP_RECV)
			transfer->buffer = taken_buffer(req, BPF_CORE_READ(sr, buf_group), cqe_flags >> CQE_BUFFER_SHIFT);
		if (!transfer->buffer && operation == OP_RECV && !(BPF_CORE_READ(sr, flags) & RECVSEND_BUNDLE))
			transfer->buffer = (u64)BPF_CORE_READ(sr, buf); /* stays there before 6.10 */
	} else if (has_vectors(transfer->call)) {
		if (!request && is_message_operation(operation)) { /* from before l7prof looked: most keep the header */
			struct {
				u64 vectors, count;
			} of_message;
			u64 at = (u64)BPF_CORE_READ(sr, umsg) + __builtin_offsetof(struct user_msghdr, msg_iov);

			if (bpf_probe_read_user(&of_message, sizeof(of_message), (void *)at) ||
			    of_message.count > MAX_VECTORS)
				return;
			transfer->vectors = of_message.vectors;
			transfer->vector_count = of_message.count;
		}
		if (!request)
			return;
		transfer->vectors = request->vectors;
		transfer->vector_count = request->vector_count;
		scratch = scratch_of_cpu();
		if (!scratch || request->vector_count > KEPT_VECTORS)
			return;
		__builtin_memcpy(scratch->kept, request->kept, sizeof(scratch->kept));
		transfer->is_kept = true;
	} else if (is_message_operation(operation)) {
		transfer->buffer = (u64)BPF_CORE_READ(sr, buf) - BPF_CORE_READ(sr, done_io);
	} else {
		transfer->buffer = BPF_CORE_READ((struct io_rw *)req, addr);
	}
}

/* Global: the verifier looks at it once, and not in every context. The transfer and its socket are in the scratch. */
__attribute__((noinline)) int report_deferred(void)
{
	struct scratch *scratch = scratch_of_cpu();

	if (scratch)
		report((struct task_struct *)bpf_get_current_task(), &scratch->ref, &scratch->transfer, 0);
	return 0;
}

/*
 * Makes the transfer and its socket, in the scratch; true if they are to be reported. A function of its own, whose stack
 * is free again when report_deferred() needs much: together they have 512 bytes.
 */
static __attribute__((noinline)) bool describe_completion(struct io_kiocb *req, u32 operation, int result, u32 cqe_flags,
							   bool is_many)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct io_sr_msg *sr = (struct io_sr_msg *)req;
	u8 call = call_of_operation[operation & (OPS - 1)];
	bool is_write = call >= CALL_WRITE && call <= CALL_SPLICE;
	u32 flags = is_message_operation(operation) ? BPF_CORE_READ(sr, msg_flags) : 0;
	struct scratch *scratch = scratch_of_cpu();
	struct transfer *transfer;
	struct socket_ref *ref;

	if (!scratch || (!result && (is_write || cqe_flags & CQE_F_BUFFER)))
		return false;
	ref = &scratch->ref;
	transfer = &scratch->transfer;
	if (flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE) || !refer_to(BPF_CORE_READ(req, file), ref))
		return false;
	__builtin_memset(transfer, 0, sizeof(*transfer));
	transfer->call = call;
	transfer->length = has_header(sr, operation) && result >= HEADER_BYTES ? result - HEADER_BYTES : result;
	transfer->is_write = is_write;
	transfer->is_deferred = true;
	if (!(flags & MSG_TRUNC) && result)
		describe_uring(transfer, req, operation, is_many, cqe_flags);
	if (result && call != CALL_SPLICE && !(flags & MSG_TRUNC) && !transfer->buffer && !transfer->vectors) {
		tell_unreadable(task, ref, is_write);
		return is_followed(ref);
	}
	return true;
}

static __attribute__((noinline)) void send_settled(struct io_kiocb *req, u8 operation)
{
	struct connection *connection;
	struct socket_ref ref;
	u64 key;

	if (call_of_operation[operation & (OPS - 1)] < CALL_WRITE || !refer_to(BPF_CORE_READ(req, file), &ref))
		return;
	key = (u64)ref.sk;
	connection = bpf_map_lookup_elem(&connections, &key);
	if (connection && connection->inode == ref.inode && connection->pending_sends)
		connection->pending_sends--;
}

static __attribute__((noinline)) void closed_by(struct io_kiocb *req)
{
	unix_socket_closed(BPF_CORE_READ((struct io_close *)req, fd));
}

static __always_inline void uring_completed(struct io_ring_ctx *ctx, struct io_kiocb *req, u64 user_data, int result,
					    u32 flags)
{
	bool is_many = !req;
	u8 operation;

	if (is_many && (result <= 0 || !(req = multishot_of(ctx, user_data))))
		return;
	operation = BPF_CORE_READ(req, opcode);
	if (operation >= OPS || !call_of_operation[operation])
		return;
	if (operation == OP_CLOSE) {
		if (!result)
			closed_by(req);
		return;
	}
	if (result >= 0 && describe_completion(req, operation, result, flags, is_many))
		report_deferred();
	send_settled(req, operation);
	if (!is_many)
		forget_request(ctx, req, user_data);
}

#endif
