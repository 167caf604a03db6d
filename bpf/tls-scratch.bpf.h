/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A scratch for programs that can be preempted by others of their kind on the same CPU, as those of uprobes can
 * (kernel commit 8c7dcb84e3b7, 6.0); they do not change the CPU, though. A program claims one: of the few that each CPU has
 * or, if as many have been preempted there, of some that are there for all.
 */
#ifndef L7PROF_TLS_SCRATCH_H
#define L7PROF_TLS_SCRATCH_H

#include "maps.bpf.h"

#define SCRATCHES_OF_CPU 2
#define COMMON_SCRATCHES 32
/* Of these a thread may have any of so many, which depend on it. */
#define COMMON_OF_THREAD 4
#define SCRATCHES_OF_THREAD (SCRATCHES_OF_CPU + COMMON_OF_THREAD)

struct tls_scratch {
	u64 users; /* the claim holds for who has found it at 1 */
	u64 owner; /* thread */
	u32 slot;
	u32 sessions; /* how many it has numbered */
	struct scratch scratch;
};

/* SCRATCHES_OF_CPU for each CPU, then the common ones; user space sets the number. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct tls_scratch);
} tls_scratches SEC(".maps");

/* `i`: of those that the thread may have. */
static __always_inline u32 slot_of(u64 thread, u32 i)
{
	if (i < SCRATCHES_OF_CPU)
		return bpf_get_smp_processor_id() * SCRATCHES_OF_CPU + i;
	return config.tls_slots - COMMON_SCRATCHES + ((u32)thread * COMMON_OF_THREAD + i) % COMMON_SCRATCHES;
}

/* NULL if all that this thread may have belong to programs that were preempted. */
static __always_inline struct tls_scratch *claim_scratch(void)
{
	u64 thread = bpf_get_current_pid_tgid();

	for (u32 i = 0; i < SCRATCHES_OF_THREAD; i++) {
		u32 slot = slot_of(thread, i);
		struct tls_scratch *scratch = bpf_map_lookup_elem(&tls_scratches, &slot);

		if (!scratch)
			return NULL;
		/* No compare-and-swap before kernel 5.12. Whoever comes in between, only one finds it at 1. */
		add_atomically(&scratch->users, 1);
		if (*(volatile u64 *)&scratch->users == 1) {
			scratch->owner = thread;
			scratch->slot = slot;
			return scratch;
		}
		add_atomically(&scratch->users, -1);
	}
	return NULL;
}

static __always_inline void release_scratch(struct tls_scratch *scratch)
{
	scratch->owner = 0;
	add_atomically(&scratch->users, -1);
}

/* The one that this program has claimed. */
static __always_inline struct scratch *scratch_of_cpu(void)
{
	u64 owner = bpf_get_current_pid_tgid();

	for (u32 i = 0; i < SCRATCHES_OF_THREAD; i++) {
		u32 slot = slot_of(owner, i);
		struct tls_scratch *scratch = bpf_map_lookup_elem(&tls_scratches, &slot);

		if (scratch && *(volatile u64 *)&scratch->owner == owner)
			return &scratch->scratch;
	}
	return NULL;
}

/* A number for a session that no other has. */
static __always_inline u32 next_session(struct tls_scratch *scratch)
{
	return ++scratch->sessions * config.tls_slots + scratch->slot;
}

#endif
