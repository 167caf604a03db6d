/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Packets that the kernel drops, and why. A packet that is sent belongs to its socket; one that comes in to the socket
 * that it was for, as soon as the kernel has found that out. What is dropped before belongs to nobody.
 */
#ifndef L7PROF_DROP_H
#define L7PROF_DROP_H

#include "maps.bpf.h"

static __always_inline void packet_dropped(struct sk_buff *packet, struct sock *receiver, u32 reason)
{
	u64 key = (u64)(receiver ? receiver : BPF_CORE_READ(packet, sk));
	struct connection *connection = key ? bpf_map_lookup_elem(&connections, &key) : NULL;
	struct drop_event record = { .reason = reason };

	if (!connection || !(connection->state == CONNECTION_FOLLOWED || connection->state >= CONNECTION_OPAQUE))
		return;
	event_init(&record.event, EVENT_DROP, connection->inode);
	emit(&record, sizeof(record), 0);
}

#endif
