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

#endif
