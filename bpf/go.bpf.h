/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which calls of crypto/tls a goroutine is in. It may begin one on one thread and end it on another, and meanwhile
 * its stack may be moved, so neither thread nor stack pointer tells: but the register that holds the goroutine does,
 * in Go's code and, since nothing there changes it, at the system calls that it makes.
 */
#ifndef L7PROF_GO_H
#define L7PROF_GO_H

#include "maps.bpf.h"

#if defined(__TARGET_ARCH_x86)
#define GOROUTINE(regs) ((regs)->r14)
#elif defined(__TARGET_ARCH_arm64)
#define GOROUTINE(regs) ((regs)->regs[28])
#endif

struct go_key {
	u64 goroutine; /* address of its struct g */
	u64 pid;       /* thread group id of the initial PID namespace */
};

struct go_call {
	u64 session;   /* the tls.Conn; 0: none */
	u64 stack;     /* pointer at the entry */
	u64 stack_end; /* where the stack ended then; 0: could not be read */
	u64 buffer;
	u64 start_ns;  /* 0: not timed */
	u64 socket;    /* an opaque connection of a socket call inside it; 0: none */
	u32 inode;
	u32 in_position; /* of the session, when a write began: its answer may be read before the write returns */
	u8 kind;       /* TLS_READ, … */
	u8 is_unwanted; /* a socket call inside it was on a connection that nobody asked for */
	u8 reserved[2];
	u32 length;    /* that a write was asked to move */
};

#define GO_CALLS 4

/* Each runs inside the one before it: TLS within TLS. One that a panic has left is among them until a call is no deeper. */
struct go_calls {
	struct go_call calls[GO_CALLS];
	u64 ended; /* stack pointer where one has ended, and no other has begun since; 0: none */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct go_key);
	__type(value, struct go_calls);
} go_calls SEC(".maps");

static __always_inline struct go_calls *calls_of_goroutine(u64 goroutine)
{
	struct go_key key = { .goroutine = goroutine, .pid = bpf_get_current_pid_tgid() >> 32 };

	return bpf_map_lookup_elem(&go_calls, &key);
}

static __always_inline struct go_call *innermost_call(struct go_calls *calls)
{
	struct go_call *innermost = NULL;

	for (u32 i = 0; i < GO_CALLS && calls->calls[i].session; i++)
		innermost = &calls->calls[i];
	return innermost;
}

/* The call that this system call was made in; NULL if it was made in none. */
static __always_inline struct go_call *go_call_around(u64 goroutine)
{
	struct go_calls *calls = goroutine ? calls_of_goroutine(goroutine) : NULL;

	return calls ? innermost_call(calls) : NULL;
}

#define GO_STACK_END 8 /* a struct g begins with the bounds of its stack, which assembly code and C rely on */

/* 0: the page can't be read just now, as while the kernel moves it. */
static __always_inline u64 go_stack_end(u64 goroutine)
{
	u64 end;

	return bpf_probe_read_user(&end, sizeof(end), (void *)(goroutine + GO_STACK_END)) ? 0 : end;
}

/* How far the stack has been moved since the call began; if that can't be told, it has not: it hardly ever is. */
static __always_inline u64 stack_moved_by(struct go_call *call, u64 stack_end)
{
	return call->stack_end && stack_end ? stack_end - call->stack_end : 0;
}

/* How many bytes deeper than at the call's beginning the stack is. */
static __always_inline s64 deeper_by(struct go_call *call, u64 stack, u64 stack_end)
{
	return call->stack + stack_moved_by(call, stack_end) - stack;
}

static __always_inline struct go_calls *calls_of_goroutine_or_new(u64 goroutine)
{
	static const struct go_calls none = {}; /* not on the stack, of which there is little */
	struct go_key key = { .goroutine = goroutine, .pid = bpf_get_current_pid_tgid() >> 32 };
	struct go_calls *calls = calls_of_goroutine(goroutine);

	if (calls)
		return calls;
	bpf_map_update_elem(&go_calls, &key, &none, BPF_NOEXIST);
	return calls_of_goroutine(goroutine);
}

/* What a panic has left behind. */
static __always_inline void forget_inside(struct go_calls *calls, u32 outer)
{
	for (u32 i = 1; i < GO_CALLS; i++)
		if (i > outer)
			calls->calls[i].session = 0;
}

/* Takes the call that returns now out of those of its goroutine; false if its beginning was not seen. */
static __always_inline bool take_go_call(struct go_calls *calls, u64 stack, u64 stack_end, struct go_call *call)
{
	for (u32 i = 0; i < GO_CALLS && calls->calls[i].session; i++) {
		if (deeper_by(&calls->calls[i], stack, stack_end))
			continue;
		*call = calls->calls[i];
		calls->calls[i].session = 0;
		forget_inside(calls, i);
		return true;
	}
	return false;
}

/* Where a stack ends could not be read, and it has been moved: then the call is known by its kind. */
static __always_inline bool take_innermost_call(struct go_calls *calls, u8 kind, u64 stack_end, struct go_call *call)
{
	struct go_call *innermost = innermost_call(calls);

	if (!innermost || innermost->kind != kind || (innermost->stack_end && stack_end))
		return false;
	*call = *innermost;
	innermost->session = 0;
	return true;
}

#endif
