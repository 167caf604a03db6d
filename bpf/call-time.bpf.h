/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * When a call began, which its exit does not tell: noted at its entry, only if config.is_timing_calls, since that is a
 * second program at every system call of the machine. A thread is in one call at a time, so it has one place.
 */
#ifndef L7PROF_CALL_TIME_H
#define L7PROF_CALL_TIME_H

#include "maps.bpf.h"

struct call_start {
	u64 time_ns;
	u64 thread; /* whose it is: two threads may share a place, and then one of them has no start */
};

/* By the last bits of the thread's id: an array answers much sooner than a hash table. One entry if there is no timing. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CALL_STARTS);
	__type(key, u32);
	__type(value, struct call_start);
} call_starts SEC(".maps");

static __always_inline struct call_start *place_of(u64 thread)
{
	u32 place = thread % CALL_STARTS;

	return bpf_map_lookup_elem(&call_starts, &place);
}

static __always_inline void call_begins(void)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct call_start *start = place_of(thread);

	if (!start)
		return;
	start->time_ns = bpf_ktime_get_ns();
	start->thread = thread;
}

/* 0: nobody knows, as of a call that began before we looked. It is told once. */
static __always_inline u64 take_call_start(void)
{
	u64 thread = bpf_get_current_pid_tgid();
	struct call_start *start = config.is_timing_calls ? place_of(thread) : NULL;

	if (!start || start->thread != thread)
		return 0;
	start->thread = 0;
	return start->time_ns;
}

/* Puts it behind the `size` bytes of payload, at the next multiple of 8; answers how many bytes there are then. */
static __always_inline u32 add_call_start(struct scratch *scratch, u32 size)
{
	u64 start_ns;

	if (!config.is_timing_calls)
		return size;
	start_ns = scratch->start_ns;
	if (!start_ns || size > HEAD_BYTES + TAIL_BYTES)
		return size;
	scratch->start_ns = 0; /* of several records the first tells it */
	scratch->event.event.flags |= FLAG_TIMED;
	size = (size + 7) & ~7;
	*(u64 *)(scratch->payload + size) = start_ns;
	return size + sizeof(start_ns);
}

#endif
