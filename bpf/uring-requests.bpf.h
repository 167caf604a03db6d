/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What is noted of a request at its submission, and found again at its completions. */
#ifndef L7PROF_URING_REQUESTS_H
#define L7PROF_URING_REQUESTS_H

#include "uring-buffers.bpf.h"

/* A request that waits for its completion, as far as its operation needs it. */
struct uring_request {
	struct io_async_msghdr *message; /* holds where a buffer of the ring's was chosen */
	u64 vectors;
	u32 vector_count;
	u32 next_buffer_id; /* the buffer that is next in its group, in case that the request is done at once */
	u64 next_buffer;
	struct iovec kept[KEPT_VECTORS];
};

/* By address of the request. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, struct uring_request);
} uring_requests SEC(".maps");

/* struct io_async_msghdr → the request that has it now. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, u64);
} uring_messages SEC(".maps");

struct uring_key {
	u64 ring;
	u64 user_data;
};

/* Requests that complete many times: these completions do not name them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct uring_key);
	__type(value, u64);
} uring_multishots SEC(".maps");

/* The vectors as they are at the submission: later neither the header nor they need exist. */
static __always_inline void note_vectors(struct uring_request *request, struct io_kiocb *req, u8 operation)
{
	u64 size;

	if (is_message_operation(operation)) {
		struct user_msghdr message;
		struct io_sr_msg *sr = (struct io_sr_msg *)req;

		if (bpf_probe_read_user(&message, sizeof(message), (void *)BPF_CORE_READ(sr, umsg)))
			return;
		request->vectors = (u64)message.msg_iov;
		request->vector_count = message.msg_iovlen;
	} else {
		struct io_rw *rw = (struct io_rw *)req;

		request->vectors = BPF_CORE_READ(rw, addr);
		request->vector_count = BPF_CORE_READ(rw, len);
	}
	size = request->vector_count * sizeof(struct iovec);
	barrier_var(size);
	if (size <= sizeof(request->kept))
		bpf_probe_read_user(request->kept, size, (void *)request->vectors);
}

/* A new owner of the message's memory: what an earlier request left there is gone. */
static __always_inline void note_message(u64 message, u64 request, bool is_needed)
{
	if (!message)
		return;
	if (is_needed)
		bpf_map_update_elem(&uring_messages, &message, &request, BPF_ANY);
	else if (bpf_map_lookup_elem(&uring_messages, &message))
		bpf_map_delete_elem(&uring_messages, &message);
}

static __always_inline void note_request(struct io_kiocb *req, u8 operation)
{
	struct io_sr_msg *sr = (struct io_sr_msg *)req;
	struct uring_request request = {};
	u64 key = (u64)req;
	bool is_message = is_message_operation(operation);
	bool is_select = BPF_CORE_READ(req, flags) & SQE_BUFFER_SELECT;
	u16 flags = is_message ? BPF_CORE_READ(sr, flags) : 0;

	if (is_message)
		request.message = BPF_CORE_READ(req, async_data);
	note_message((u64)request.message, key, is_select);
	if ((flags & RECVSEND_MULTISHOT && (operation == OP_RECV || operation == OP_RECVMSG)) ||
	    flags & RECVSEND_BUNDLE || operation == OP_READ_MULTISHOT) {
		struct uring_key multishot = {
			.ring = (u64)BPF_CORE_READ(req, ctx),
			.user_data = BPF_CORE_READ(req, cqe.user_data),
		};

		bpf_map_update_elem(&uring_multishots, &multishot, &key, BPF_ANY);
	}
	if (!is_select && !has_vectors(call_of_operation[operation]))
		return;
	if (is_select)
		find_next_buffer(req, &request.next_buffer, &request.next_buffer_id);
	else
		note_vectors(&request, req, operation);
	bpf_map_update_elem(&uring_requests, &key, &request, BPF_ANY);
}

static __attribute__((noinline)) void forget_request(struct io_ring_ctx *ctx, struct io_kiocb *req, u64 user_data)
{
	struct uring_key multishot = { .ring = (u64)ctx, .user_data = user_data };
	u64 key = (u64)req, message;
	struct uring_request *request = bpf_map_lookup_elem(&uring_requests, &key);
	u64 *known;

	if (request) {
		message = (u64)request->message;
		known = message ? bpf_map_lookup_elem(&uring_messages, &message) : NULL;
		if (known && *known == key)
			bpf_map_delete_elem(&uring_messages, &message);
		bpf_map_delete_elem(&uring_requests, &key);
	}
	known = bpf_map_lookup_elem(&uring_multishots, &multishot);
	if (known && *known == key)
		bpf_map_delete_elem(&uring_multishots, &multishot);
}

#define GOLDEN_RATIO_64 0x61C8864680B583EBULL

struct multishot_walk {
	struct hlist_node *node;
	u64 user_data;
	struct io_kiocb *found;
};

static __always_inline bool look_at_node(struct multishot_walk *walk)
{
	struct hlist_node *node = walk->node;
	struct io_kiocb *req;
	u8 operation;

	if (!node)
		return false;
	req = (void *)node - bpf_core_field_offset(struct io_kiocb, hash_node);
	operation = BPF_CORE_READ(req, opcode);
	if (BPF_CORE_READ(req, cqe.user_data) == walk->user_data && (operation == OP_RECV || operation == OP_RECVMSG)) {
		walk->found = req;
		return false;
	}
	walk->node = BPF_CORE_READ(node, next);
	return true;
}

/* One that was submitted before l7prof looked: those that wait are in a hash table of the ring. */
static __always_inline u64 waiting_multishot(struct io_ring_ctx *ctx, u64 user_data)
{
	u32 bits = BPF_CORE_READ(ctx, cancel_table.hash_bits);
	struct multishot_walk walk = { .user_data = user_data };
	struct io_hash_bucket *bucket;
	u64 hash = user_data * GOLDEN_RATIO_64;

	if (!bits || bits > 32)
		return 0;
	bucket = BPF_CORE_READ(ctx, cancel_table.hbs);
	bucket = (void *)bucket + (hash >> (64 - bits)) * bpf_core_type_size(struct io_hash_bucket);
	walk.node = BPF_CORE_READ(bucket, list.first);
	EACH(i, 64, 64, 8, i < 64 && look_at_node(&walk));
	return (u64)walk.found;
}

static __attribute__((noinline)) struct io_kiocb *multishot_of(struct io_ring_ctx *ctx, u64 user_data)
{
	struct uring_key key = { .ring = (u64)ctx, .user_data = user_data };
	u64 *known = bpf_map_lookup_elem(&uring_multishots, &key);
	u64 found;

	if (known && BPF_CORE_READ((struct io_kiocb *)*known, cqe.user_data) == user_data)
		return (struct io_kiocb *)*known;
	found = waiting_multishot(ctx, user_data);
	if (found)
		bpf_map_update_elem(&uring_multishots, &key, &found, BPF_ANY);
	return (struct io_kiocb *)found;
}

#endif
