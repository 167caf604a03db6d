/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A scratch for programs that can be preempted by others of their kind on the same CPU, as those of uprobes can
 * (kernel commit 8c7dcb84e3b7, 6.0); they do not change the CPU, though. Each CPU has a few, and a program claims one.
 */
#ifndef L7PROF_TLS_SCRATCH_H
#define L7PROF_TLS_SCRATCH_H

#include "maps.bpf.h"

#define SCRATCHES_OF_CPU 3

struct tls_scratch {
	u64 users; /* the claim holds for who has found it at 1 */
	u64 owner; /* thread */
	u32 slot;
	u32 sessions; /* how many it has numbered */
	struct scratch scratch;
};

/* SCRATCHES_OF_CPU for each CPU; user space sets the number. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct tls_scratch);
} tls_scratches SEC(".maps");

/* NULL if as many programs were preempted on this CPU as there are scratches. */
static __always_inline struct tls_scratch *claim_scratch(void)
{
	u32 slot = bpf_get_smp_processor_id() * SCRATCHES_OF_CPU;

	for (u32 i = 0; i < SCRATCHES_OF_CPU; i++, slot++) {
		struct tls_scratch *scratch = bpf_map_lookup_elem(&tls_scratches, &slot);

		if (!scratch)
			return NULL;
		/* No compare-and-swap before kernel 5.12. Whoever comes in between, only one finds it at 1. */
		add_atomically(&scratch->users, 1);
		if (*(volatile u64 *)&scratch->users == 1) {
			scratch->owner = bpf_get_current_pid_tgid();
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
	u32 slot = bpf_get_smp_processor_id() * SCRATCHES_OF_CPU;

	for (u32 i = 0; i < SCRATCHES_OF_CPU; i++, slot++) {
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
