/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Where in a connection's two streams a call stands. */
#ifndef L7PROF_POSITIONS_H
#define L7PROF_POSITIONS_H

#include "socket.bpf.h"

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

#endif
