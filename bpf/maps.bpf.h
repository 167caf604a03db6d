/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Everything that the programs share with each other and with user space. */
#ifndef L7PROF_MAPS_H
#define L7PROF_MAPS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "events.h"
#include "process.bpf.h"

/* How much of one call is copied from its beginning, and of a longer one from its end. */
#define HEAD_BYTES 65536
#define TAIL_BYTES 64
#define KEPT_VECTORS 8

struct globals globals = {};

/* Records of events.h. User space sets the size. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} events SEC(".maps");

/* A record in it wakes user space; of the ring above poll() would, whatever is in it. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} bell SEC(".maps");

struct half_of_pids {
	u8 is_target[MAX_PIDS / 2];
};

/*
 * A byte for each possible thread group id, 1 for a target. This is asked at every read and write of every process,
 * and a hash table takes several times as long to answer. In halves, since a value may not be larger than 4 MiB less
 * something before kernel 5.11; user space maps it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct half_of_pids);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, MAX_CGROUPS);
	__type(key, u32);
	__type(value, u32);
} cgroups SEC(".maps");

/* By address of the struct sock, its inode number telling a reused address. The oldest are let go. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, struct connection);
} connections SEC(".maps");

/* (inode << 1 | is it written) → position up to which user space needs no copies. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u32);
} passed SEC(".maps");

struct unix_descriptor {
	u64 socket;
	u32 inode;
	u32 reserved;
};

/* (pid << 32 | fd) → unix socket: nothing in the kernel tells when one is closed but the call itself. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, u64);
	__type(value, struct unix_descriptor);
} unix_descriptors SEC(".maps");

/* What bpf/body.bpf.h finds in the head of a message. */
struct head_scan {
	u32 end;               /* where the body begins; 0: not found */
	u32 content_length_at; /* where the value begins; 0: there is none */
	u32 is_coded;          /* there is a Transfer-Encoding */
	u32 reserved;
};

/* What one call moved. */
struct transfer {
	u64 buffer;      /* one buffer, … */
	u64 vectors;     /* … or struct iovec[vector_count], … */
	u64 messages;    /* … or struct mmsghdr[vector_count], or none: the bytes never were in the process's memory */
	u32 vector_count;
	u32 length;
	bool is_write;
	u8 call;
	bool has_control; /* sendmsg, recvmsg: there is a control message; with kTLS that tells the type of a record */
	bool is_kept;     /* the vectors are in the scratch, too: those of the process may be gone */
	bool is_deferred; /* the call may have returned before others of which we heard earlier: io_uring */
	u64 peer;         /* a datagram's other end as the call names it, a sockaddr of the process; 0: it does not */
	u64 goroutine;    /* what Go has in its register for it; else anything, or 0 */
	u32 moved;        /* bytes that went by since the last that were told of, these included */
};

/* A socket, and what tells it from another at the same address. */
struct socket_ref {
	struct sock *sk;
	u32 inode;
};

struct scratch {
	struct data_event event;
	/* Twice the bound: the verifier can't relate an offset to the length that is still allowed. */
	u8 payload[2 * HEAD_BYTES];
	u32 filled; /* of the payload, while vectors are copied */
	u32 vector; /* … and which of them is next, … */
	u64 vector_done; /* … and how much of it is copied */
	struct iovec kept[KEPT_VECTORS];
	struct transfer transfer; /* a call that takes several records, or comes late, … */
	struct socket_ref ref; /* … its socket, … */
	u32 wanted; /* … and how many bytes of it are to be copied */
	u32 reserved;
	u64 start_ns; /* when the call began; 0: nobody knows, or it has been told */
	struct head_scan head;
	struct open_event open; /* too large for the stack, of which a program and what it calls have 512 bytes */
};

/* One a CPU (the largest per-CPU value would be 32 KiB); user space sets the number. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

#ifdef L7PROF_PREEMPTIBLE
static __always_inline struct scratch *scratch_of_cpu(void); /* tls-scratch.bpf.h */
#else
static __always_inline struct scratch *scratch_of_cpu(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&scratches, &cpu);
}
#endif

/* The compiler would make it an atomic fetch, which kernels before 5.12 (5ca419f2864a) do not know. */
static __always_inline void add_atomically(u64 *sum, u64 value)
{
	asm volatile("lock *(u64 *)(%0 + 0) += %1" : : "r"(sum), "r"(value) : "memory");
}

/* User space is to look now at what may be gone soon, such as a process that is new to it. */
static __always_inline bool is_news(struct event *event)
{
	return event->kind == EVENT_OPEN || event->kind == EVENT_OPAQUE || event->kind == EVENT_PROCESS ||
	       event->kind == EVENT_MAPPED;
}

static __always_inline void wake_up(void)
{
	u64 nothing = 0;

	globals.wake_above = 0;
	bpf_ringbuf_output(&bell, &nothing, sizeof(nothing), BPF_RB_FORCE_WAKEUP);
}

/* Gives a record to user space, or counts it as lost and answers false. A wake-up costs as much as many events. */
static __always_inline bool emit(void *record, u64 size, u32 moved_bytes)
{
	u64 mark = globals.wake_above;
	long error = bpf_ringbuf_output(&events, record, size, BPF_RB_NO_WAKEUP);

	if (mark && (is_news(record) || bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > mark))
		wake_up();
	if (!error)
		return true;
	add_atomically(&globals.lost_events, 1);
	add_atomically(&globals.lost_bytes, moved_bytes);
	return false;
}

static __always_inline void event_init(struct event *event, u8 kind, u32 connection)
{
	u64 id = bpf_get_current_pid_tgid();

	event->time_ns = bpf_ktime_get_ns();
	event->connection = connection;
	event->pid = config.pid_namespace ? current_process_id() : id >> 32; /* one helper call, not two */
	event->tid = (u32)id;
	event->kind = kind;
	event->flags = 0;
	event->call = 0;
	event->retransmits = 0;
}

#endif
