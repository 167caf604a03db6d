/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Copies what a call moved out of the process's memory into the scratch record of this CPU. The functions that
 * walk vectors are global, so that the verifier looks at each of them once and not in every context.
 */
#ifndef L7PROF_PAYLOAD_H
#define L7PROF_PAYLOAD_H

#include "loop.bpf.h"

/* Vectors of a call, messages of recvmmsg and sendmmsg: what the kernel takes (UIO_MAXIOV), or less before 6.4. */
#define MAX_VECTORS 1024
#define FEWER_VECTORS 256
#define MAX_MESSAGES 1024
#define FEWER_MESSAGES 64

/*
 * Appends one vector to scratch->payload until `limit`, which is at most HEAD_BYTES; false when it is full, or the
 * memory can't be read. How full it is stands in memory and not in a register: what comes from a map has no history
 * for the verifier, so it finds the rounds of a loop alike. (bpf_loop came only with kernel 5.17.)
 */
static __always_inline bool append(struct scratch *scratch, struct iovec *vector, u32 limit)
{
	u32 filled = *(volatile u32 *)&scratch->filled;
	u64 done = scratch->vector_done, rest = vector->iov_len - done, length;

	if (filled >= limit || filled >= HEAD_BYTES)
		return false;
	length = rest < limit - filled ? rest : limit - filled;
	barrier_var(length); /* so that the bound is checked on the register that is used */
	if (length > HEAD_BYTES)
		return false;
	if (length && bpf_probe_read_user(scratch->payload + filled, length, vector->iov_base + done))
		return false;
	scratch->filled = filled + length;
	if (length < rest) {
		scratch->vector_done = done + length;
		return false;
	}
	scratch->vector++;
	scratch->vector_done = 0;
	return true;
}

static __always_inline bool copy_vector(struct scratch *scratch, u64 address, u32 limit)
{
	struct iovec vector;

	return !bpf_probe_read_user(&vector, sizeof(vector), (void *)address) && append(scratch, &vector, limit);
}

/* From the vector on where the last call of it has ended. */
__attribute__((noinline)) int copy_vectors(u64 vectors, u32 count, u32 limit)
{
	struct scratch *scratch = scratch_of_cpu();

	if (!scratch)
		return 0;
	vectors += (u64)scratch->vector * sizeof(struct iovec);
	count -= scratch->vector;
	EACH(i, count, MAX_VECTORS, FEWER_VECTORS, copy_vector(scratch, vectors + i * sizeof(struct iovec), limit));
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

/* Of those that bpf/uring.bpf.h has kept, from the vector on where the last call of it has ended. */
__attribute__((noinline)) int copy_kept_vectors(u32 count, u32 limit)
{
	struct scratch *scratch = scratch_of_cpu();

	if (!scratch)
		return 0;
	for (u32 i = 0; i < KEPT_VECTORS && i < count; i++) {
		if (i < scratch->vector)
			continue;
		if (!append(scratch, &scratch->kept[i], limit))
			break;
	}
	return 0;
}

/* Copies what the vector holds of the last bytes; `left` bytes of the call begin with it. True if more follow. */
static __always_inline bool copy_tail_of_vector(struct scratch *scratch, u64 address, u32 *left, u64 tail)
{
	struct iovec vector;

	if (*left < tail)
		tail = *left;
	if (bpf_probe_read_user(&vector, sizeof(vector), (void *)address))
		return false;
	if (vector.iov_len < *left) {
		*left -= vector.iov_len;
		return true;
	}
	barrier_var(tail);
	if (tail > TAIL_BYTES)
		return false;
	if (!bpf_probe_read_user(scratch->payload + HEAD_BYTES, tail, vector.iov_base + *left - tail))
		scratch->filled = tail;
	return false;
}

/* The last bytes of a call longer than HEAD_BYTES, as far as they lie in its last vector; answers how many. */
__attribute__((noinline)) int copy_vectors_tail(u64 vectors, u32 count, u32 length, u32 tail)
{
	struct scratch *scratch = scratch_of_cpu();
	u32 left = length;

	if (!scratch)
		return 0;
	scratch->filled = 0;
	EACH(i, count, MAX_VECTORS, FEWER_VECTORS,
	     copy_tail_of_vector(scratch, vectors + i * sizeof(struct iovec), &left, tail));
	return *(volatile u32 *)&scratch->filled;
}

static __always_inline bool copy_message(struct scratch *scratch, u64 address, u32 limit, u32 *end)
{
	struct mmsghdr message;

	if (bpf_probe_read_user(&message, sizeof(message), (void *)address))
		return false;
	*end += message.msg_len;
	scratch->vector = 0;
	scratch->vector_done = 0; /* the one before may have been filled in part */
	copy_vectors((u64)message.msg_hdr.msg_iov, message.msg_hdr.msg_iovlen, *end < limit ? *end : limit);
	return *(volatile u32 *)&scratch->filled == *end;
}

/* recvmmsg, sendmmsg: the messages one after the other. */
__attribute__((noinline)) int copy_messages(u64 messages, u32 count, u32 limit)
{
	struct scratch *scratch = scratch_of_cpu();
	u32 end = 0;

	if (!scratch)
		return 0;
	EACH(i, count, MAX_MESSAGES, FEWER_MESSAGES,
	     copy_message(scratch, messages + i * sizeof(struct mmsghdr), limit, &end));
	return 0;
}

static __always_inline bool add_length(u64 address, u32 *length)
{
	u32 one;

	if (bpf_probe_read_user(&one, sizeof(one), (void *)(address + __builtin_offsetof(struct mmsghdr, msg_len))))
		return false;
	*length += one;
	return true;
}

/* Bytes that all the messages moved together. */
__attribute__((noinline)) int length_of_messages(u64 messages, u32 count)
{
	u32 length = 0;

	EACH(i, count, MAX_MESSAGES, FEWER_MESSAGES, add_length(messages + i * sizeof(struct mmsghdr), &length));
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
	scratch->vector = 0;
	scratch->vector_done = 0;
	if (transfer->is_kept)
		copy_kept_vectors(transfer->vector_count, length);
	else if (transfer->vectors && transfer->vector_count <= FEW_VECTORS)
		copy_few_vectors(transfer->vectors, transfer->vector_count, length);
	else if (transfer->vectors)
		copy_vectors(transfer->vectors, transfer->vector_count, length);
	else if (transfer->messages)
		copy_messages(transfer->messages, transfer->vector_count, length);
	return *(volatile u32 *)&scratch->filled;
}

static __always_inline u32 copy_tail(struct scratch *scratch, struct transfer *transfer, u32 tail)
{
	if (transfer->is_kept)
		return 0;
	if (transfer->vectors)
		return copy_vectors_tail(transfer->vectors, transfer->vector_count, transfer->length, tail);
	barrier_var(tail);
	if (!transfer->buffer || tail > TAIL_BYTES)
		return 0;
	if (bpf_probe_read_user(scratch->payload + HEAD_BYTES, tail, (void *)(transfer->buffer + transfer->length - tail)))
		return 0;
	return tail;
}

#endif
