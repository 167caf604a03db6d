/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Loops of many rounds. The verifier walks a plain loop round by round, which costs the start half a millisecond for
 * each, so those are short; with the kernel's own iterator (6018e1f407cc in 6.4) it looks at one round alone.
 */
#ifndef L7PROF_LOOP_H
#define L7PROF_LOOP_H

#include "maps.bpf.h"

struct bpf_iter_num {
	u64 opaque;
} __attribute__((aligned(8)));

extern int bpf_iter_num_new(struct bpf_iter_num *iterator, int start, int end) __ksym __weak;
extern int *bpf_iter_num_next(struct bpf_iter_num *iterator) __ksym __weak;
extern void bpf_iter_num_destroy(struct bpf_iter_num *iterator) __ksym __weak;

/* Does `round(i)`, an expression that answers whether to go on, for i from 0 to below `count`; at most `most` times, or
 * `few` without the iterator. */
#define EACH(i, count, most, few, round)                                          \
	do {                                                                      \
		if (config.has_iterators) {                                       \
			u32 end_ = (count) < (most) ? (count) : (most);           \
			struct bpf_iter_num iterator_;                            \
			int *next_;                                               \
                                                                                  \
			bpf_iter_num_new(&iterator_, 0, end_);                    \
			while ((next_ = bpf_iter_num_next(&iterator_))) {         \
				u64 i = (u32)*next_;                              \
                                                                                  \
				if (!(round))                                     \
					break;                                    \
			}                                                         \
			bpf_iter_num_destroy(&iterator_);                         \
		} else {                                                          \
			for (u64 i = 0; i < (few) && i < (count); i++)            \
				if (!(round))                                     \
					break;                                    \
		}                                                                 \
	} while (0)

#endif
