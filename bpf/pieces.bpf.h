/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A call that moved more than one record holds is told of in several, as if it had been as many calls. Of a body in
 * chunks each byte may be framing; only what is still longer shows no more than its beginning and its end.
 */
#ifndef L7PROF_PIECES_H
#define L7PROF_PIECES_H

#include "call-time.bpf.h"
#include "payload.bpf.h"

#define MAX_PIECES 64
#define FEWER_PIECES 4

/* The piece of `size` bytes that begins `offset` bytes into the call; answers how many could be copied. */
static __always_inline u32 copy_piece(struct scratch *scratch, struct transfer *transfer, u32 offset, u32 size)
{
	if (transfer->buffer) {
		barrier_var(size);
		if (size > HEAD_BYTES)
			return 0;
		return bpf_probe_read_user(scratch->payload, size, (void *)(transfer->buffer + offset)) ? 0 : size;
	}
	scratch->filled = 0;
	if (transfer->is_kept)
		copy_kept_vectors(transfer->vector_count, size);
	else
		copy_vectors(transfer->vectors, transfer->vector_count, size);
	return *(volatile u32 *)&scratch->filled;
}

/* Reports the piece that begins `offset` bytes into the call; true if another follows. */
static __always_inline bool report_piece(struct scratch *scratch, u32 offset)
{
	struct transfer *transfer = &scratch->transfer;
	u32 left = transfer->length - offset, wanted = scratch->wanted - offset;
	u32 size = wanted < HEAD_BYTES ? wanted : HEAD_BYTES, tail = 0;
	u32 head = offset ? copy_piece(scratch, transfer, offset, size) : size;
	bool is_last = wanted <= HEAD_BYTES || head < HEAD_BYTES;

	if (head == HEAD_BYTES && is_last && left > HEAD_BYTES)
		tail = copy_tail(scratch, transfer, left - HEAD_BYTES < TAIL_BYTES ? left - HEAD_BYTES : TAIL_BYTES);
	scratch->event.length = is_last ? left : HEAD_BYTES;
	scratch->event.head_bytes = head;
	scratch->event.tail_bytes = tail;
	barrier_var(head);
	barrier_var(tail);
	if (head > HEAD_BYTES || tail > TAIL_BYTES) /* never; tells the verifier */
		return false;
	emit(scratch, sizeof(struct data_event) + add_call_start(scratch, head + tail), scratch->event.length);
	scratch->event.event.flags &= ~FLAG_TIMED;
	scratch->event.position += HEAD_BYTES;
	return !is_last;
}

/* The transfer in the scratch, whose first HEAD_BYTES are in the payload. */
__attribute__((noinline)) int report_pieces(void)
{
	struct scratch *scratch = scratch_of_cpu();
	u32 most = (config.has_iterators ? MAX_PIECES : FEWER_PIECES) * HEAD_BYTES;

	if (!scratch)
		return 0;
	if (scratch->transfer.messages)
		most = HEAD_BYTES;
	if (scratch->wanted > most)
		scratch->wanted = most;
	EACH(i, MAX_PIECES, MAX_PIECES, FEWER_PIECES, report_piece(scratch, i * HEAD_BYTES));
	return 0;
}

#endif
