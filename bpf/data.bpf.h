/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The bytes of a call, as one record or as several. */
#ifndef L7PROF_DATA_H
#define L7PROF_DATA_H

#include "body.bpf.h"
#include "pieces.bpf.h"

/* scratch->event says already of what stream, and where in it. */
static __always_inline void emit_data(struct connection *stream, struct scratch *scratch, struct transfer *transfer)
{
	u32 limit = copy_limit(stream, scratch, transfer);
	u32 head = copy_head(scratch, transfer, limit < HEAD_BYTES ? limit : HEAD_BYTES);
	u64 size;

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
		expect_body(stream, scratch, head, transfer->is_write);
}

#endif
