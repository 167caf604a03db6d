/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * From a file descriptor to the connection behind it. Asking the socket at each call, instead of following
 * connect, accept, dup and close, serves connections that were open before the start and needs no bookkeeping.
 */
#ifndef L7PROF_SOCKET_H
#define L7PROF_SOCKET_H

#include "field.bpf.h"
#include "stream.bpf.h"

static __always_inline struct file *file_of(struct task_struct *task, u32 fd)
{
	struct files_struct *open_files = FIELD(task_struct, task, files);
	struct fdtable *table = FIELD(files_struct, open_files, fdt);

	if (fd >= FIELD(fdtable, table, max_fds))
		return NULL;
	/* An entry of the table is one pointer, and so is this structure: a plain load where FIELD can do one. */
	return (struct file *)FIELD(hlist_head, FIELD(fdtable, table, fd) + fd, first);
}

static __always_inline bool is_stream_socket(struct sock *sk)
{
	return FIELD(sock, sk, sk_type) == SOCK_STREAM;
}

/* Of TCP: the kernel encrypts (kTLS), so calls move plaintext while TCP counts what goes over the wire. */
static __always_inline bool is_kernel_tls(struct sock *sk)
{
	const struct tcp_ulp_ops *layer = FIELD(inet_connection_sock, sk, icsk_ulp_ops);
	char name[4];

	if (!layer)
		return false;
	bpf_probe_read_kernel(name, sizeof(name), (void *)layer + bpf_core_field_offset(struct tcp_ulp_ops, name));
	return *(u32 *)name == 0x00736c74; /* "tls" */
}

/* NULL if the file is no socket: only of a socket does the private data point back at the file. */
static __always_inline struct socket *socket_of_file(struct file *file)
{
	struct socket *socket = FIELD(file, file, private_data);

	return socket && FIELD(socket, socket, file) == file ? socket : NULL;
}

static __always_inline bool is_socket(struct task_struct *task, u32 fd)
{
	struct file *file = file_of(task, fd);

	return file && socket_of_file(file);
}

/* False if the file is no socket. */
static __always_inline bool refer_to(struct file *file, struct socket_ref *ref)
{
	struct socket *socket = file ? socket_of_file(file) : NULL;
	struct inode *inode;

	if (!socket)
		return false;
	inode = FIELD(file, file, f_inode);
	ref->sk = FIELD(socket, socket, sk);
	ref->inode = FIELD(inode, inode, i_ino);
	return ref->sk != NULL;
}

static __always_inline bool socket_of(struct task_struct *task, u32 fd, struct socket_ref *ref)
{
	return refer_to(file_of(task, fd), ref);
}

/* Nothing went over the TCP connection before the call that just moved `length` bytes. */
static __always_inline bool is_fresh(struct sock *sk, bool is_write, u32 length)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	u32 unread = BPF_CORE_READ(tcp, rcv_nxt) - BPF_CORE_READ(tcp, copied_seq);
	u64 read = BPF_CORE_READ(tcp, bytes_received) - unread;
	u64 written = BPF_CORE_READ(tcp, bytes_acked) + (BPF_CORE_READ(tcp, write_seq) - BPF_CORE_READ(tcp, snd_una));

	if (is_write)
		return read == 0 && written <= (u64)length + 1; /* the SYN may count as one */
	if (!unread && BPF_CORE_READ(sk, sk_shutdown) & RCV_SHUTDOWN)
		read--; /* the call read the FIN, too, which counts as one */
	return read == length && written <= 1;
}

/* One that TCP has closed has given its port back, and keeps what its segments bore. */
static __always_inline u16 local_port_of(struct sock *sk)
{
	u16 port = BPF_CORE_READ(sk, __sk_common.skc_num);

	return port ? port : __builtin_bswap16(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
}

static __always_inline bool is_wanted_port(u16 local, u16 remote)
{
	if (!config.port_count)
		return true;
	for (u32 i = 0; i < MAX_PORTS && i < config.port_count; i++)
		if (config.ports[i] == local || config.ports[i] == remote)
			return true;
	return false;
}

/* Path that the server's end is bound to, seen from either end; "" if neither end has a name. */
static __always_inline void read_unix_path(struct sock *sk, struct open_event *record)
{
	struct unix_sock *un = (struct unix_sock *)sk;
	struct unix_address *address = BPF_CORE_READ(un, addr);
	u32 length;

	if (!address) {
		un = (struct unix_sock *)BPF_CORE_READ(un, peer);
		address = BPF_CORE_READ(un, addr);
	}
	if (!address)
		return;
	length = BPF_CORE_READ(address, len) - 2; /* sun_family comes first */
	if (length > sizeof(record->path))
		return;
	record->path_bytes = length;
	bpf_probe_read_kernel(record->path, sizeof(record->path), (void *)address + bpf_core_field_offset(struct unix_address, name) + 2);
}

static __always_inline void read_addresses(struct sock *sk, struct open_event *record)
{
	u64 bases;

	record->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	record->network = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	bases = record->family == AF_UNIX ? unix_peer(sk) : is_stream_socket(sk) ? tcp_bases(sk) : 0;
	record->in_base = bases >> 32;
	record->out_base = (u32)bases;
	if (record->family == AF_UNIX) {
		read_unix_path(sk, record);
		return;
	}
	record->local_port = local_port_of(sk);
	record->remote_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (record->family == AF_INET) {
		BPF_CORE_READ_INTO((u32 *)record->local, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((u32 *)record->remote, sk, __sk_common.skc_daddr);
	} else {
		BPF_CORE_READ_INTO(&record->local, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
		BPF_CORE_READ_INTO(&record->remote, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
	}
}

static __always_inline void describe_open(struct scratch *scratch, struct task_struct *task, struct socket_ref *ref,
					  u8 kind, u8 flags)
{
	struct open_event *record = &scratch->open;

	__builtin_memset(record, 0, sizeof(*record));
	event_init(&record->event, kind, ref->inode);
	record->event.flags = flags;
	record->socket = (u64)ref->sk;
	read_addresses(ref->sk, record);
	BPF_CORE_READ_STR_INTO(&record->comm, task, group_leader, comm);
}

static __always_inline bool emit_open(struct scratch *scratch, struct task_struct *task, struct socket_ref *ref,
				      u8 kind, u8 flags, u32 moved_bytes)
{
	describe_open(scratch, task, ref, kind, flags);
	return emit(&scratch->open, sizeof(scratch->open), moved_bytes);
}

#endif
