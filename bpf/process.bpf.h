/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Process ids as l7prof's own PID namespace has them, which may be that of a container. There, processes outside of it
 * have none and are 0. In the initial namespace, of which config.pid_namespace is 0, nothing of this is left.
 */
#ifndef L7PROF_PROCESS_H
#define L7PROF_PROCESS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "events.h"

const volatile struct config config = {};

/* A namespace within another, as containers in a virtual machine's containers are; the kernel allows 32. */
#define MAX_PID_LEVELS 8
#define PIDTYPE_TGID 1

static __attribute__((noinline)) u32 process_id_in_namespace(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	u32 level = BPF_CORE_READ(pid, level);
	struct upid number;

	for (u32 i = 0; i < MAX_PID_LEVELS && i <= level; i++) {
		void *at = (void *)pid + bpf_core_field_offset(struct pid, numbers) + i * bpf_core_type_size(struct upid);

		if (bpf_core_read(&number, bpf_core_type_size(struct upid), at))
			break;
		if (BPF_CORE_READ((struct pid_namespace *)number.ns, ns.inum) == config.pid_namespace)
			return number.nr;
	}
	return 0;
}

/* The process's, not the thread's. */
static __always_inline u32 process_id_of(struct task_struct *task)
{
	return config.pid_namespace ? process_id_in_namespace(task) : (u32)BPF_CORE_READ(task, tgid);
}

static __always_inline u32 current_process_id(void)
{
	if (config.pid_namespace)
		return process_id_in_namespace((struct task_struct *)bpf_get_current_task());
	return bpf_get_current_pid_tgid() >> 32;
}

#endif
