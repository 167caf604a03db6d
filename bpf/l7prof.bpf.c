// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The kernel side of l7prof: which bytes the targets' socket calls moved, on which connection, and when.
 * Entry points only; each include is one idea. At the exit of a system call its arguments are still in the
 * registers, so one program sees it all and no state is kept between an enter and an exit.
 */
#include "maps.bpf.h"
#include "syscalls.bpf.h"
#include "target.bpf.h"
#include "socket.bpf.h"
#include "peer.bpf.h"
#include "sniff.bpf.h"
#include "payload.bpf.h"
#include "call.bpf.h"
#include "state.bpf.h"
#include "call-time.bpf.h"
#include "drop.bpf.h"
#include "tcp.bpf.h"
#include "uring.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void system_call_ends(struct pt_regs *regs, u8 call, long ret)
{
	if (!call || ret < 0)
		return;
	if (call >= CALL_ACCEPT)
		socket_got_owner(regs, call, ret);
	else if (is_target(current_process_id()))
		call_returned(regs, call, ret);
}

static __always_inline void system_call_begins(u8 call)
{
	if (call && call <= CALL_SPLICE && is_target(current_process_id()))
		call_begins();
}

SEC("tp_btf/sys_exit")
int BPF_PROG(l7p_sys_exit, struct pt_regs *regs, long ret)
{
	system_call_ends(regs, call_of(SYSCALL_NUMBER(regs)), ret);
	return 0;
}

/* Loaded only if the calls are to be timed. */
SEC("tp_btf/sys_enter")
int BPF_PROG(l7p_sys_enter, struct pt_regs *regs, long number)
{
	system_call_begins(call_of(number));
	return 0;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(l7p_uring_submit, struct io_kiocb *req)
{
	if (is_target(current_process_id()))
		uring_submitted(req);
	return 0;
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(l7p_uring_complete, struct io_ring_ctx *ring, struct io_kiocb *req, struct io_uring_cqe *cqe)
{
	if (is_target(current_process_id()))
		uring_completed(ring, req, BPF_CORE_READ(cqe, user_data), BPF_CORE_READ(cqe, res),
				BPF_CORE_READ(cqe, flags));
	return 0;
}

/* Of these and those above the kernel has one each, see src/kernel/uring.ts. */
SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(l7p_uring_submit_sqe, struct io_kiocb *req)
{
	if (is_target(current_process_id()))
		uring_submitted(req);
	return 0;
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(l7p_uring_complete_7, struct io_ring_ctx *ring, struct io_kiocb *req, u64 user_data, int result, u32 flags)
{
	if (is_target(current_process_id()))
		uring_completed(ring, req, user_data, result, flags);
	return 0;
}

static __always_inline void state_changed(struct sock *sk, int old_state, int new_state)
{
	connecting_changed(sk, old_state, new_state);
	tcp_state_changed(sk, old_state, new_state);
}

/*
 * Before the other and beside it, where there are perf's (below): in an interrupt the kernel skips this one if another of
 * perf's is running, and in a process's call the other one if it has been preempted. It is told once.
 */
SEC("?tp/sock/inet_sock_set_state")
int l7p_sock_state_perf(struct trace_event_raw_inet_sock_set_state *context)
{
	if (!globals.is_ending)
		state_changed((struct sock *)context->skaddr, context->oldstate, context->newstate);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(l7p_sock_state, const struct sock *sk, const int old_state, const int new_state)
{
	state_changed((struct sock *)sk, old_state, new_state);
	return 0;
}

/* Of one that TCP had closed before the process did, there may have been more to come; now there is no more. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(l7p_destroy, struct sock *sk)
{
	tcp_state_changed(sk, TCP_CLOSE, TCP_CLOSE);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(l7p_retransmit, const struct sock *sk)
{
	tcp_retransmitted((struct sock *)sk);
	return 0;
}

/* Loaded only if drops are asked for. */
SEC("tp_btf/kfree_skb")
int BPF_PROG(l7p_drop, struct sk_buff *packet, void *location, u32 reason, struct sock *receiver)
{
	packet_dropped(packet, receiver, reason);
	return 0;
}

/* Before kernel 6.11 the receiver stands in the packet or nowhere; see src/kernel/drops.ts. */
SEC("tp_btf/kfree_skb")
int BPF_PROG(l7p_drop_517, struct sk_buff *packet, void *location, u32 reason)
{
	packet_dropped(packet, NULL, reason);
	return 0;
}

/* Run once at the start: whose are the connections that are open already? */
SEC("iter/task_file")
int l7p_owners(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;

	barrier_var(task); /* so that what is used is what was checked, and not loaded again */
	barrier_var(file);
	if (task && file)
		remember_owner_of_file(task, file);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(l7p_fork, struct task_struct *parent, struct task_struct *child)
{
	process_forked(parent, child);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(l7p_exec, struct task_struct *task)
{
	process_executed(task);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(l7p_exit, struct task_struct *task)
{
	process_exited(task);
	return 0;
}

/*
 * From 7.x on a program at a raw tracepoint can be preempted, and until it goes on the kernel skips it for all others of
 * the CPU. perf's programs are not preempted: there these take the place of those with the same name without `_perf`.
 */
SEC("?tp/raw_syscalls/sys_exit")
int l7p_sys_exit_perf(struct trace_event_raw_sys_exit *context)
{
	u8 call = call_of(context->id);

	if (call && !globals.is_ending) /* few calls are of interest, and the registers have to be looked for */
		system_call_ends(registers_of_call(), call, context->ret);
	return 0;
}

SEC("?tp/raw_syscalls/sys_enter")
int l7p_sys_enter_perf(struct trace_event_raw_sys_enter *context)
{
	if (!globals.is_ending)
		system_call_begins(call_of(context->id));
	return 0;
}

SEC("?tp/io_uring/io_uring_submit_req")
int l7p_uring_submit_perf(struct trace_event_raw_io_uring_submit_req *context)
{
	if (!globals.is_ending && is_target(current_process_id()))
		uring_submitted(context->req);
	return 0;
}

SEC("?tp/io_uring/io_uring_complete")
int l7p_uring_complete_perf(struct trace_event_raw_io_uring_complete *context)
{
	if (!globals.is_ending && is_target(current_process_id()))
		uring_completed(context->ctx, context->req, context->user_data, context->res, context->cflags);
	return 0;
}

SEC("?tp/sched/sched_process_exec")
int l7p_exec_perf(void *context)
{
	if (!globals.is_ending)
		process_executed(bpf_get_current_task_btf());
	return 0;
}

SEC("?tp/sched/sched_process_exit")
int l7p_exit_perf(void *context)
{
	if (!globals.is_ending)
		process_exited(bpf_get_current_task_btf());
	return 0;
}
