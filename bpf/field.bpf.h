/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How a field of a kernel object is read: by a plain load where the kernel takes the pointer's type on our word
 * (bpf_rdonly_cast, since a35b9af4ec2c in 6.2), else by a helper call, which costs several times that.
 */
#ifndef L7PROF_FIELD_H
#define L7PROF_FIELD_H

#include "maps.bpf.h"

extern void *bpf_rdonly_cast(const void *object, u32 btf_id) __ksym __weak;

#define FIELD(type, object, field)                                                                       \
	({                                                                                               \
		struct type *object_ = (struct type *)(object);                                          \
		config.has_casts ?                                                                       \
			((struct type *)bpf_rdonly_cast(object_, bpf_core_type_id_kernel(struct type)))->field : \
			BPF_CORE_READ(object_, field);                                                   \
	})

#endif
