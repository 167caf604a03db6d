/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Copies what a call moved out of the process's memory into the scratch record of this CPU. The functions that
 * walk vectors are global, so that the verifier looks at each of them once and not in every context.
 */
#ifndef L7PROF_PAYLOAD_H
#define L7PROF_PAYLOAD_H

#include "maps.bpf.h"

#define MAX_VECTORS 1024 /* UIO_MAXIOV */

/* What one call moved. */
struct transfer {
	u64 buffer;      /* one buffer, … */
	u64 vectors;     /* … or struct iovec[vector_count], … */
	u64 messages;    /* … or struct mmsghdr[vector_count], or none: the bytes never were in the process's memory */
	u32 vector_count;
	u32 length;
	bool is_write;
	u8 call;
};

/* A walk over the vectors or messages of one call. */
struct walk {
	u64 vectors;
	struct scratch *scratch;
	u32 limit;  /* stop here; at most HEAD_BYTES when copying */
	u32 before; /* bytes of the vectors passed so far */
	u32 tail;
};

/* bpf_loop (kernel 5.17) walks them all; before that the verifier has to unroll, and a few must do. */
#define UNROLLED 32
#define WALK(count, step, walk)                                                             \
	do {                                                                                \
		if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop))            \
			bpf_loop((count) < MAX_VECTORS ? (count) : MAX_VECTORS, step, walk, 0); \
		else                                                                        \
			for (u32 i = 0; i < UNROLLED && i < (count); i++)                   \
				if (step(i, walk))                                          \
					break;                                              \
	} while (0)

static long copy_vector(u64 i, struct walk *walk)
{
	struct scratch *scratch = walk->scratch;
	u32 filled = *(volatile u32 *)&scratch->filled;
	struct iovec vector;
	u64 length;

	if (filled >= walk->limit || filled >= HEAD_BYTES)
		return 1;
	if (bpf_probe_read_user(&vector, sizeof(vector), (void *)(walk->vectors + i * sizeof(vector))))
		return 1;
	length = vector.iov_len < walk->limit - filled ? vector.iov_len : walk->limit - filled;
	barrier_var(length); /* so that the bound is checked on the register that is used */
	if (length > HEAD_BYTES)
		return 1;
	if (length && bpf_probe_read_user(scratch->payload + filled, length, vector.iov_base))
		return 1;
	scratch->filled = filled + length;
	return 0;
}

/* Appends to scratch->payload until `limit`. */
__attribute__((noinline)) int copy_vectors(u64 vectors, u32 count, u32 limit)
{
	struct walk walk = { .vectors = vectors, .scratch = scratch_of_cpu(), .limit = limit };

	if (walk.scratch)
		WALK(count, copy_vector, &walk);
	return 0;
}

static long copy_last_vector(u64 i, struct walk *walk)
{
	struct iovec vector;
	u64 tail;

	if (bpf_probe_read_user(&vector, sizeof(vector), (void *)(walk->vectors + i * sizeof(vector))))
		return 1;
	if (walk->before + vector.iov_len < walk->limit) {
		walk->before += vector.iov_len;
		return 0;
	}
	tail = walk->limit - walk->before;
	if (tail > TAIL_BYTES)
		tail = TAIL_BYTES;
	if (!bpf_probe_read_user(walk->scratch->payload + HEAD_BYTES, tail,
				 vector.iov_base + (walk->limit - walk->before) - tail))
		walk->tail = tail;
	return 1;
}

/* The last bytes of a call longer than HEAD_BYTES, as far as they lie in its last vector; answers how many. */
__attribute__((noinline)) int copy_vectors_tail(u64 vectors, u32 count, u32 length)
{
	struct walk walk = { .vectors = vectors, .scratch = scratch_of_cpu(), .limit = length };

	if (walk.scratch)
		WALK(count, copy_last_vector, &walk);
	return walk.tail;
}

/* One message of recvmmsg or sendmmsg; `before` is what the earlier ones moved. */
static long copy_message(u64 i, struct walk *walk)
{
	struct mmsghdr message;

	if (bpf_probe_read_user(&message, sizeof(message), (void *)(walk->vectors + i * sizeof(message))))
		return 1;
	walk->before += message.msg_len;
	copy_vectors((u64)message.msg_hdr.msg_iov, message.msg_hdr.msg_iovlen,
		     walk->before < walk->limit ? walk->before : walk->limit);
	return *(volatile u32 *)&walk->scratch->filled != walk->before;
}

__attribute__((noinline)) int copy_messages(u64 messages, u32 count, u32 limit)
{
	struct walk walk = { .vectors = messages, .scratch = scratch_of_cpu(), .limit = limit };

	if (walk.scratch)
		WALK(count, copy_message, &walk);
	return 0;
}

static long add_length(u64 i, struct walk *walk)
{
	u64 at = walk->vectors + i * sizeof(struct mmsghdr) + __builtin_offsetof(struct mmsghdr, msg_len);
	u32 length;

	if (bpf_probe_read_user(&length, sizeof(length), (void *)at))
		return 1;
	walk->before += length;
	return 0;
}

__attribute__((noinline)) int length_of_messages(u64 messages, u32 count)
{
	struct walk walk = { .vectors = messages };

	WALK(count, add_length, &walk);
	return walk.before;
}

/* At most `limit` bytes from the beginning of the transfer; answers how many there are now in the scratch. */
static __always_inline u32 copy_head(struct scratch *scratch, struct transfer *transfer, u32 limit)
{
	u32 length = transfer->length < limit ? transfer->length : limit;

	if (transfer->buffer) {
		barrier_var(length); /* so that the bound is checked on the register that is used */
		if (length > HEAD_BYTES)
			return 0;
		return bpf_probe_read_user(scratch->payload, length, (void *)transfer->buffer) ? 0 : length;
	}
	scratch->filled = 0;
	if (transfer->vectors)
		copy_vectors(transfer->vectors, transfer->vector_count, length);
	else if (transfer->messages)
		copy_messages(transfer->messages, transfer->vector_count, length);
	return *(volatile u32 *)&scratch->filled;
}

static __always_inline u32 copy_tail(struct scratch *scratch, struct transfer *transfer)
{
	u32 tail = transfer->length - HEAD_BYTES < TAIL_BYTES ? transfer->length - HEAD_BYTES : TAIL_BYTES;

	if (transfer->vectors)
		return copy_vectors_tail(transfer->vectors, transfer->vector_count, transfer->length);
	barrier_var(tail);
	if (!transfer->buffer || tail > TAIL_BYTES)
		return 0;
	if (bpf_probe_read_user(scratch->payload + HEAD_BYTES, tail, (void *)(transfer->buffer + transfer->length - tail)))
		return 0;
	return tail;
}

#endif
