/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Copies what a call moved out of the process's memory into the scratch record of this CPU. The functions that
 * walk vectors are global, so that the verifier looks at each of them once and not in every context.
 */
#ifndef L7PROF_PAYLOAD_H
#define L7PROF_PAYLOAD_H

#include "maps.bpf.h"

/* Of the 1024 that the kernel takes (UIO_MAXIOV): each costs the verifier, and so the start, half a millisecond. */
#define MAX_VECTORS 256
#define MAX_MESSAGES 64 /* of recvmmsg, sendmmsg */

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

/*
 * Appends one vector to scratch->payload until `limit`, which is at most HEAD_BYTES; false when it is full, or the
 * memory can't be read. How full it is stands in memory and not in a register: what comes from a map has no history
 * for the verifier, so it finds the rounds of a loop alike. (bpf_loop came only with kernel 5.17.)
 */
static __always_inline bool append(struct scratch *scratch, struct iovec *vector, u32 limit)
{
	u32 filled = *(volatile u32 *)&scratch->filled;
	u64 length;

	if (filled >= limit || filled >= HEAD_BYTES)
		return false;
	length = vector->iov_len < limit - filled ? vector->iov_len : limit - filled;
	barrier_var(length); /* so that the bound is checked on the register that is used */
	if (length > HEAD_BYTES)
		return false;
	if (length && bpf_probe_read_user(scratch->payload + filled, length, vector->iov_base))
		return false;
	scratch->filled = filled + length;
	return true;
}

__attribute__((noinline)) int copy_vectors(u64 vectors, u32 count, u32 limit)
{
	struct scratch *scratch = scratch_of_cpu();
	struct iovec vector;

	if (!scratch)
		return 0;
	for (u64 i = 0; i < MAX_VECTORS && i < count; i++) {
		if (bpf_probe_read_user(&vector, sizeof(vector), (void *)(vectors + i * sizeof(vector))))
			break;
		if (!append(scratch, &vector, limit))
			break;
	}
	return 0;
}

#define FEW_VECTORS 4

/* The same with one read for all the vectors: each read of user memory costs a good 100 ns. */
__attribute__((noinline)) int copy_few_vectors(u64 address, u32 count, u32 limit)
{
	struct scratch *scratch = scratch_of_cpu();
	struct iovec vectors[FEW_VECTORS];
	u64 size = (u64)count * sizeof(struct iovec);

	barrier_var(size);
	if (!scratch || size > sizeof(vectors) || bpf_probe_read_user(vectors, size, (void *)address))
		return 0;
	for (u32 i = 0; i < FEW_VECTORS && i < count; i++)
		if (!append(scratch, &vectors[i], limit))
			break;
	return 0;
}

/* The last bytes of a call longer than HEAD_BYTES, as far as they lie in its last vector; answers how many. */
__attribute__((noinline)) int copy_vectors_tail(u64 vectors, u32 count, u32 length)
{
	struct scratch *scratch = scratch_of_cpu();
	struct iovec vector;
	u32 left = length;

	if (!scratch)
		return 0;
	for (u64 i = 0; i < MAX_VECTORS && i < count; i++) {
		u64 tail = left < TAIL_BYTES ? left : TAIL_BYTES;

		if (bpf_probe_read_user(&vector, sizeof(vector), (void *)(vectors + i * sizeof(vector))))
			break;
		if (vector.iov_len < left) {
			left -= vector.iov_len;
			continue;
		}
		barrier_var(tail);
		if (tail > TAIL_BYTES)
			break;
		return bpf_probe_read_user(scratch->payload + HEAD_BYTES, tail, vector.iov_base + left - tail) ? 0 : tail;
	}
	return 0;
}

/* recvmmsg, sendmmsg: the messages one after the other. */
__attribute__((noinline)) int copy_messages(u64 messages, u32 count, u32 limit)
{
	struct scratch *scratch = scratch_of_cpu();
	struct mmsghdr message;
	u32 end = 0;

	if (!scratch)
		return 0;
	for (u64 i = 0; i < MAX_MESSAGES && i < count; i++) {
		if (bpf_probe_read_user(&message, sizeof(message), (void *)(messages + i * sizeof(message))))
			break;
		end += message.msg_len;
		copy_vectors((u64)message.msg_hdr.msg_iov, message.msg_hdr.msg_iovlen, end < limit ? end : limit);
		if (*(volatile u32 *)&scratch->filled != end)
			break;
	}
	return 0;
}

/* Bytes that all the messages moved together. */
__attribute__((noinline)) int length_of_messages(u64 messages, u32 count)
{
	u32 length = 0, one;

	for (u64 i = 0; i < MAX_MESSAGES && i < count; i++) {
		u64 at = messages + i * sizeof(struct mmsghdr) + __builtin_offsetof(struct mmsghdr, msg_len);

		if (bpf_probe_read_user(&one, sizeof(one), (void *)at))
			break;
		length += one;
	}
	return length;
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
	if (transfer->vectors && transfer->vector_count <= FEW_VECTORS)
		copy_few_vectors(transfer->vectors, transfer->vector_count, length);
	else if (transfer->vectors)
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
