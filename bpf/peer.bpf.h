/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Whose the other end of a connection is. Every process of the machine is noted down when it accepts or connects,
 * which costs nothing per read and write; a target's connection then finds its other end by what both ends share.
 */
#ifndef L7PROF_PEER_H
#define L7PROF_PEER_H

#include "socket.bpf.h"
#include "stream.bpf.h"
#include "syscalls.bpf.h"
#include "target.bpf.h"

#define MAX_PEER_TRIES 3

struct owner {
	u32 pid;
	u32 inode;      /* AF_UNIX: of its socket, which tells a reused address */
	u32 connect_us; /* how long connecting took; 0 if it accepted */
	char comm[16];
	u32 is_unused;  /* AF_UNIX: it was a target that got the socket, and it has not used it yet */
};

/* By key_of(). Nobody is taken out: a peer may be looked for when its end is gone. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, struct owner);
} owners SEC(".maps");

struct attempt {
	u64 start_ns;
	struct owner owner;
	u32 is_target;
};

/* By address of the struct sock: who is connecting. It shows only before the handshake, its numbers only after. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, u64);
	__type(value, struct attempt);
} attempts SEC(".maps");

static __always_inline u64 key_of(struct sock *sk, u16 family)
{
	return family == AF_UNIX ? (u64)sk : tcp_bases(sk);
}

static __always_inline void set_owner(struct owner *owner, struct task_struct *task)
{
	owner->pid = process_id_of(task);
	BPF_CORE_READ_STR_INTO(&owner->comm, task, group_leader, comm);
}

/* Of the kinds of which the other end can be told. */
static __always_inline bool has_known_ends(struct sock *sk, u16 family)
{
	return is_stream_socket(sk) && (family == AF_UNIX || ((family == AF_INET || family == AF_INET6) &&
							       FIELD(sock, sk, sk_protocol) == IPPROTO_TCP));
}

static __always_inline void remember_owner(struct task_struct *task, struct socket_ref *ref, u16 family, bool is_new)
{
	struct owner owner = { .inode = ref->inode };
	u64 key = key_of(ref->sk, family);

	set_owner(&owner, task);
	owner.is_unused = is_new && family == AF_UNIX && is_target(owner.pid);
	bpf_map_update_elem(&owners, &key, &owner, BPF_ANY);
}

/* accept, accept4 and connect have returned; of a TCP socket that connects, connecting_changed() knows more. */
static __always_inline void socket_got_owner(struct pt_regs *regs, u8 call, long ret)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct socket_ref ref;
	u16 family;

	if (is_compat_call(task) || !socket_of(task, call == CALL_ACCEPT ? ret : SYSCALL_ARG0(regs), &ref))
		return;
	family = FIELD(sock_common, ref.sk, skc_family);
	if (has_known_ends(ref.sk, family) && (call == CALL_ACCEPT || family == AF_UNIX))
		remember_owner(task, &ref, family, true);
}

static __always_inline void remember_owner_of_file(struct task_struct *task, struct file *file)
{
	struct socket_ref ref;
	u16 family;

	if (!refer_to(file, &ref))
		return;
	family = FIELD(sock_common, ref.sk, skc_family);
	if (!has_known_ends(ref.sk, family))
		return;
	if (family != AF_UNIX && !FIELD(sock_common, ref.sk, skc_dport)) /* it listens */
		return;
	remember_owner(task, &ref, family, false);
}

static __always_inline struct owner *unix_peer_of(struct sock *sk)
{
	u64 peer = unix_peer(sk);
	struct owner *owner;
	u32 inode;

	if (!peer)
		return NULL;
	owner = bpf_map_lookup_elem(&owners, &peer);
	inode = BPF_CORE_READ((struct sock *)peer, sk_socket, file, f_inode, i_ino);
	/* Without one it has ended, or has not been accepted yet: then the owner is that of a socket before it. */
	if (!inode && BPF_CORE_READ((struct sock *)peer, __sk_common.skc_state) != TCP_CLOSE)
		return NULL;
	return owner && (!inode || inode == owner->inode) ? owner : NULL;
}

/* Asked once, at the first call of a target: true if it got the unix socket while we looked, so that was the first. */
static __always_inline bool is_unused_unix(struct socket_ref *ref)
{
	u64 key = (u64)ref->sk;
	struct owner *owner = bpf_map_lookup_elem(&owners, &key);
	bool is_unused = owner && owner->inode == ref->inode && owner->is_unused;

	if (is_unused)
		owner->is_unused = 0;
	return is_unused;
}

static __always_inline struct owner *tcp_peer_of(struct sock *sk)
{
	u64 bases = tcp_bases(sk), key;
	u32 in = bases >> 32, out = bases;
	struct owner *owner;

	key = (u64)out << 32 | (in - 1); /* the other end connected */
	owner = bpf_map_lookup_elem(&owners, &key);
	if (owner)
		return owner;
	key = (u64)(out + 1) << 32 | in; /* it accepted */
	return bpf_map_lookup_elem(&owners, &key);
}

/*
 * At the first call, and when the process first reads: then the other end has been accepted, too. A peer on another
 * machine is looked for in vain, as often as that.
 */
static __always_inline void find_peer_once(struct connection *connection, struct socket_ref *ref, bool is_write)
{
	struct peer_event record = {};
	struct owner *owner;

	if (connection->peer_tries >= MAX_PEER_TRIES || (connection->peer_tries && is_write))
		return;
	connection->peer_tries++;
	owner = FIELD(sock_common, ref->sk, skc_family) == AF_UNIX ? unix_peer_of(ref->sk) : tcp_peer_of(ref->sk);
	if (!owner || !owner->pid)
		return;
	connection->peer_tries = MAX_PEER_TRIES;
	event_init(&record.event, EVENT_PEER, ref->inode);
	record.pid = owner->pid;
	__builtin_memcpy(record.comm, owner->comm, sizeof(record.comm));
	emit(&record, sizeof(record), 0);
}

static __always_inline void connecting_begins(struct sock *sk, u64 key)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct attempt attempt = { .start_ns = bpf_ktime_get_ns() };

	set_owner(&attempt.owner, task);
	attempt.is_target = is_target(attempt.owner.pid) &&
			    is_wanted_port(0, __builtin_bswap16(FIELD(sock_common, sk, skc_dport)));
	bpf_map_update_elem(&attempts, &key, &attempt, BPF_ANY);
}

static __always_inline void emit_refused(struct sock *sk, struct owner *owner)
{
	struct refused_event record = { .connect_us = owner->connect_us };

	event_init(&record.event, EVENT_REFUSED, 0);
	record.event.pid = owner->pid; /* and not whoever runs now */
	record.family = BPF_CORE_READ(sk, __sk_common.skc_family);
	record.remote_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	record.error = BPF_CORE_READ(sk, sk_err);
	if (record.family == AF_INET)
		BPF_CORE_READ_INTO((u32 *)record.remote, sk, __sk_common.skc_daddr);
	else
		BPF_CORE_READ_INTO(&record.remote, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
	__builtin_memcpy(record.comm, owner->comm, sizeof(record.comm));
	emit(&record, sizeof(record), 0);
}

static __always_inline void connecting_changed(struct sock *sk, int old_state, int new_state)
{
	u64 key = (u64)sk, key_of_ends;
	struct attempt *attempt;

	if (new_state == TCP_SYN_SENT)
		connecting_begins(sk, key);
	if (old_state != TCP_SYN_SENT)
		return;
	attempt = bpf_map_lookup_elem(&attempts, &key);
	if (!attempt)
		return;
	attempt->owner.connect_us = (bpf_ktime_get_ns() - attempt->start_ns) / 1000;
	if (new_state == TCP_ESTABLISHED) {
		key_of_ends = key_of(sk, AF_INET);
		bpf_map_update_elem(&owners, &key_of_ends, &attempt->owner, BPF_ANY);
	} else if (new_state == TCP_CLOSE && attempt->is_target) {
		emit_refused(sk, &attempt->owner);
	}
	bpf_map_delete_elem(&attempts, &key);
}

#endif
