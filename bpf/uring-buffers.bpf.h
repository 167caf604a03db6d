/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Buffers that the ring chooses for a request out of a group: a ring of them that the process fills, or a list (the
 * older kind). The completion says which by its number alone, and where that is must be found out.
 */
#ifndef L7PROF_URING_BUFFERS_H
#define L7PROF_URING_BUFFERS_H

#include "uring-types.bpf.h"

/* What lies in an xarray at `index`: in nodes of 64 slots, whose addresses are marked in the lowest bits. */
static __always_inline u64 in_xarray(u64 head, u32 index)
{
	u64 entry = head;

	for (u32 level = 0; level < 3 && (entry & 3) == 2; level++) {
		struct xa_node *node = (struct xa_node *)(entry - 2);
		u32 slot = (index >> BPF_CORE_READ(node, shift)) & 63;

		bpf_probe_read_kernel(&entry, sizeof(entry), (void *)node + bpf_core_field_offset(struct xa_node, slots) +
							     slot * sizeof(void *));
	}
	return entry & 3 ? 0 : entry;
}

static __always_inline struct io_buffer_list *group_of_buffers(struct io_kiocb *req, u32 group)
{
	if (!bpf_core_field_exists(struct io_buffer_list, flags))
		return NULL;
	return (struct io_buffer_list *)in_xarray((u64)BPF_CORE_READ(req, ctx, io_bl_xa.xa_head), group);
}

static __always_inline bool is_taken_buffer(void *ring, u16 index, u16 id, u64 *address)
{
	struct io_uring_buf buffer;

	if (bpf_probe_read_kernel(&buffer, sizeof(buffer), ring + index * sizeof(buffer)))
		return true;
	if (buffer.bid != id)
		return false;
	*address = buffer.addr;
	return true;
}

/* The buffer was chosen before l7prof looked: it is one of those that were taken from the ring last. */
static __always_inline u64 taken_buffer(struct io_kiocb *req, u16 group, u16 id)
{
	struct io_buffer_list *list = group_of_buffers(req, group);
	u64 address = 0;
	u16 head, mask;
	void *ring;

	if (!list || !bpf_core_field_exists(struct io_buffer_list, flags) ||
	    (BPF_CORE_READ(list, flags) & (IS_BUFFER_RING | IS_INCREMENTAL)) != IS_BUFFER_RING)
		return 0;
	ring = BPF_CORE_READ(list, buf_ring);
	head = BPF_CORE_READ(list, head);
	mask = BPF_CORE_READ(list, mask);
	EACH(i, (u32)mask + 1, 64, 8, !is_taken_buffer(ring, (head - 1 - i) & mask, id, &address));
	return address;
}

static __always_inline void find_next_buffer(struct io_kiocb *req, u64 *address, u32 *id)
{
	struct io_buffer_list *list = group_of_buffers(req, BPF_CORE_READ(req, buf_index));

	if (!list || !bpf_core_field_exists(struct io_buffer_list, flags))
		return;
	if (BPF_CORE_READ(list, flags) & IS_BUFFER_RING) {
		u16 index = BPF_CORE_READ(list, head) & BPF_CORE_READ(list, mask);
		void *ring = BPF_CORE_READ(list, buf_ring);
		struct io_uring_buf buffer;

		if (bpf_probe_read_kernel(&buffer, sizeof(buffer), ring + index * sizeof(buffer)))
			return;
		*address = buffer.addr;
		*id = buffer.bid;
	} else {
		struct io_buffer *buffer = (struct io_buffer *)BPF_CORE_READ(list, buf_list.next);

		*address = BPF_CORE_READ(buffer, addr);
		*id = BPF_CORE_READ(buffer, bid);
	}
}

#endif
