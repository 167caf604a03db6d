/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which processes are profiled, and how that follows their forks, new names and ends. */
#ifndef L7PROF_TARGET_H
#define L7PROF_TARGET_H

#include "maps.bpf.h"

static __always_inline bool is_in_cgroup(void)
{
	for (u32 i = 0; i < MAX_CGROUPS && i < config.cgroup_count; i++)
		if (bpf_current_task_under_cgroup(&cgroups, i) == 1)
			return true;
	return false;
}

static __always_inline bool is_listed(u32 pid)
{
	u32 half = pid / (MAX_PIDS / 2);
	struct half_of_pids *pids = bpf_map_lookup_elem(&targets, &half);

	return pids && pids->is_target[pid % (MAX_PIDS / 2)];
}

static __always_inline void list(u32 pid, u8 is_target)
{
	u32 half = pid / (MAX_PIDS / 2);
	struct half_of_pids *pids = bpf_map_lookup_elem(&targets, &half);

	if (pids)
		pids->is_target[pid % (MAX_PIDS / 2)] = is_target;
}

static __always_inline bool is_target(u32 pid)
{
	if (!pid) /* outside of l7prof's PID namespace */
		return false;
	if (config.is_all)
		return pid != config.self_pid;
	if (is_listed(pid))
		return true;
	return config.cgroup_count && pid != config.self_pid && is_in_cgroup();
}

static __always_inline bool is_wanted_name(const char *comm)
{
	for (u32 i = 0; i < MAX_COMMS && i < config.comm_count; i++) {
		bool is_same = true;

		for (u32 j = 0; j < 16 && is_same; j++) {
			is_same = config.comms[i][j] == comm[j];
			if (!comm[j])
				break;
		}
		if (is_same)
			return true;
	}
	return false;
}

static __always_inline void emit_process(struct task_struct *leader, u32 pid, u32 parent, u8 what)
{
	struct process_event record = { .what = what, .parent = parent };

	event_init(&record.event, EVENT_PROCESS, 0);
	record.event.pid = pid;
	BPF_CORE_READ_STR_INTO(&record.comm, leader, comm);
	emit(&record, sizeof(record), 0);
}

static __always_inline void add_target(struct task_struct *leader, u32 pid, u32 parent, u8 what)
{
	list(pid, 1);
	emit_process(leader, pid, parent, what);
}

static __always_inline void process_forked(struct task_struct *parent, struct task_struct *child)
{
	u32 pid = process_id_of(child), parent_pid = process_id_of(parent);

	if (child->pid != child->tgid || !config.is_following) /* a thread */
		return;
	if (is_listed(parent_pid))
		add_target(child, pid, parent_pid, PROCESS_STARTED);
}

static __always_inline void process_executed(struct task_struct *task)
{
	u32 pid = process_id_of(task);
	char comm[16] = {};

	if (is_listed(pid)) {
		emit_process(task, pid, 0, PROCESS_RENAMED);
		return;
	}
	BPF_CORE_READ_STR_INTO(&comm, task, comm);
	if (pid && pid != config.self_pid && is_wanted_name(comm))
		add_target(task, pid, 0, PROCESS_STARTED);
	else if (config.is_reading_tls && is_target(pid)) /* by its control group, or as anyone: it may have a library */
		emit_process(task, pid, 0, PROCESS_RENAMED);
}

static __always_inline void process_exited(struct task_struct *task)
{
	u32 pid = process_id_of(task);

	if (BPF_CORE_READ(task, signal, live.counter) > 0) /* other threads live on */
		return;
	if (!is_listed(pid))
		return;
	list(pid, 0);
	emit_process(BPF_CORE_READ(task, group_leader), pid, 0, PROCESS_ENDED);
}

#endif
