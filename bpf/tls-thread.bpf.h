/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a thread did last: its calls of a TLS library that have not returned, and its last read of a connection. */
#ifndef L7PROF_TLS_THREAD_H
#define L7PROF_TLS_THREAD_H

#include "maps.bpf.h"

/*
 * Between a read and the call that is given it, or between a call and the write, the thread does not sleep, however long
 * it is kept from running; or it only waits for a lock, as Python's threads do after each call.
 */
#define SAME_TURN_NS 10000000

struct turn {
	u64 ns;
	u64 sleeps;
};

/* A call of the library that has not returned. */
struct tls_call {
	u64 session;   /* 0: none */
	u64 stack;     /* pointer at its entry: tells which call returns, and what runs inside what */
	u64 entry;     /* where that is */
	u64 buffer;
	u64 length_at; /* where it leaves the number of bytes; 0: it returns it */
	u64 socket;    /* an opaque connection of a socket call inside it; 0: none */
	u64 start_ns;  /* if calls are timed */
	u32 inode;
	u8 kind;
	u8 is_unwanted; /* a socket call inside it was on a connection that nobody asked for */
	u8 tells_end;
	u8 follows_read; /* the thread has come here from its last read of an opaque connection */
};

struct tls_thread {
	struct tls_call calls[2]; /* the second runs inside the first: TLS within TLS */
	u64 read_socket;          /* opaque connection that it read outside of any call; 0: none, or taken */
	struct turn read_turn;
	u32 read_inode;
	u32 read_bytes;           /* not yet taken for plaintext */
	u64 session;              /* of its last call of the library, if that session's connection is not known */
	struct turn session_turn;
	u32 plain_bytes;          /* that the session has written since */
	u8 is_read_fresh;         /* the read brought the first bytes of the connection */
	u8 reserved[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64); /* of bpf_get_current_pid_tgid() */
	__type(value, struct tls_thread);
} tls_threads SEC(".maps");

static __always_inline u64 sleeps_of_thread(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return BPF_CORE_READ(task, nvcsw);
}

static __always_inline void note_turn(struct turn *turn)
{
	turn->ns = bpf_ktime_get_ns();
	turn->sleeps = sleeps_of_thread();
}

static __always_inline bool is_same_turn(struct turn *turn)
{
	return bpf_ktime_get_ns() - turn->ns < SAME_TURN_NS || turn->sleeps == sleeps_of_thread();
}

static __always_inline struct tls_thread *tls_thread_of(u64 id)
{
	return bpf_map_lookup_elem(&tls_threads, &id);
}

static __always_inline struct tls_thread *tls_thread_or_new(u64 id)
{
	static const struct tls_thread none = {}; /* not on the stack, of which there is little */
	struct tls_thread *thread = tls_thread_of(id);

	if (thread)
		return thread;
	bpf_map_update_elem(&tls_threads, &id, &none, BPF_NOEXIST);
	return tls_thread_of(id);
}

/* The call that the thread is in; NULL if it is in none. */
static __always_inline struct tls_call *innermost_tls_call(struct tls_thread *thread)
{
	return thread->calls[0].session ? &thread->calls[thread->calls[1].session ? 1 : 0] : NULL;
}

/* Of the session, the thread is in no call any more, if it ever was in one that an exception has ended. */
static __always_inline void forget_calls(u64 address)
{
	u64 id = bpf_get_current_pid_tgid();
	struct tls_thread *thread = tls_thread_of(id);

	if (thread && thread->calls[0].session == address)
		thread->calls[0].session = thread->calls[1].session = 0;
	else if (thread && thread->calls[1].session == address)
		thread->calls[1].session = 0;
}

#endif
