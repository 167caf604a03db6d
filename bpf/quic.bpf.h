/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * QUIC is not read, but named and counted: a UDP socket over which goes a datagram with QUIC's long header. Such open
 * each connection; one that was open before has only short headers, which nothing tells from other bytes.
 */
#ifndef L7PROF_QUIC_H
#define L7PROF_QUIC_H

#include "payload.bpf.h"
#include "socket.bpf.h"

/* So many calls of a socket are looked at, then one of so many: on a server that was busy before, connections begin. */
#define DATAGRAM_LOOKS 64
#define DATAGRAM_STRIDE 16

/* The long header up to its connection ids, of at most 20 bytes each (RFC 9000, 17.2). */
#define QUIC_HEAD_BYTES 48
#define QUIC_MIN_BYTES 7
#define QUIC_MAX_ID_BYTES 20
#define QUIC_VERSION_1 1
#define QUIC_VERSION_2 0x6b3343cf /* RFC 9369 */

/* sockaddr_in, sockaddr_in6 */
struct user_sockaddr {
	u16 family;
	u16 port;
};

static __always_inline bool is_udp(struct sock *sk, u16 family, u16 protocol)
{
	return protocol == IPPROTO_UDP && (family == AF_INET || family == AF_INET6) &&
	       FIELD(sock, sk, sk_type) == SOCK_DGRAM;
}

/* A socket for each question to the DNS, which knows no QUIC on this port (RFC 9250, 4.1.1): not worth an entry. */
static __always_inline bool is_dns(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_dport) == __builtin_bswap16(53);
}

/* Of a socket that is not connected each call tells. */
static __always_inline bool is_wanted_datagram(struct sock *sk)
{
	u16 remote = BPF_CORE_READ(sk, __sk_common.skc_dport);

	return !remote || is_wanted_port(BPF_CORE_READ(sk, __sk_common.skc_num), __builtin_bswap16(remote));
}

/* The two highest bits are the form and one that is always 1: by it QUIC is told from RTP. */
static __always_inline bool has_quic_header(const u8 *bytes, u32 length)
{
	u32 version = __builtin_bswap32(*(u32 *)(bytes + 1));

	return length >= QUIC_MIN_BYTES && (bytes[0] & 0xc0) == 0xc0 && bytes[5] <= QUIC_MAX_ID_BYTES &&
	       (version == QUIC_VERSION_1 || version == QUIC_VERSION_2);
}

/* Where a datagram went or came from: the socket knows if it is connected, else the call. 0: neither does. */
static __always_inline u16 remote_port_of(struct sock *sk, struct transfer *transfer)
{
	u16 port = BPF_CORE_READ(sk, __sk_common.skc_dport);
	struct user_sockaddr address = {};
	u64 peer = transfer->peer;

	if (transfer->messages) /* msg_name of the first is its first field */
		bpf_probe_read_user(&peer, sizeof(peer), (void *)transfer->messages);
	if (!port && peer && !bpf_probe_read_user(&address, sizeof(address), (void *)peer))
		port = address.port;
	return __builtin_bswap16(port);
}

/* 0: nobody asked for it, or it could not be told. A function of its own, for the stack of look_at_datagrams(). */
__attribute__((noinline)) int open_quic(void)
{
	struct scratch *scratch = scratch_of_cpu();
	struct transfer *transfer = &scratch->transfer;
	struct sock *sk;
	u16 remote_port;

	if (!scratch)
		return 0;
	sk = scratch->ref.sk;
	remote_port = remote_port_of(sk, transfer);
	if (!is_wanted_port(BPF_CORE_READ(sk, __sk_common.skc_num), remote_port))
		return 0;
	describe_open(scratch, (struct task_struct *)bpf_get_current_task(), &scratch->ref, EVENT_OPAQUE,
		      FLAG_QUIC | (transfer->is_write ? FLAG_WRITE : 0));
	scratch->open.remote_port = remote_port;
	return emit(&scratch->open, sizeof(scratch->open), 0);
}

/*
 * The call and its socket are in the scratch. Of each long header user space gets the connection ids. Global: the
 * verifier looks at it once.
 */
__attribute__((noinline)) int look_at_datagrams(void)
{
	struct scratch *scratch = scratch_of_cpu();
	u64 key = scratch ? (u64)scratch->ref.sk : 0;
	struct connection *connection = bpf_map_lookup_elem(&connections, &key);
	struct data_event *record;
	u32 head;

	if (!scratch || !connection)
		return 0;
	record = &scratch->event;
	head = copy_head(scratch, &scratch->transfer, QUIC_HEAD_BYTES);
	if (!has_quic_header(scratch->payload, head)) {
		if (connection->state != CONNECTION_QUIC)
			return 0;
		head = 0;
	} else if (connection->state != CONNECTION_QUIC) {
		if (!open_quic())
			return 0;
		connection->state = CONNECTION_QUIC;
	}
	event_init(&record->event, EVENT_DATA, scratch->ref.inode);
	record->event.call = scratch->transfer.call;
	record->event.flags = FLAG_CIPHER | (scratch->transfer.is_write ? FLAG_WRITE : 0);
	record->length = scratch->transfer.length;
	record->head_bytes = head;
	record->tail_bytes = record->position = record->other_position = record->srtt_us = 0;
	barrier_var(head); /* so that the bound is checked on the register that is used */
	if (head > QUIC_HEAD_BYTES) /* never; tells the verifier */
		return 0;
	emit(record, sizeof(*record) + head, 0);
	return 0;
}

/* A call on a UDP socket has returned. */
static __always_inline void datagrams_moved(struct connection *connection, struct socket_ref *ref,
					    struct scratch *scratch, struct transfer *transfer)
{
	u32 seen = connection->in_position++;

	if (connection->state != CONNECTION_QUIC && seen >= DATAGRAM_LOOKS && seen % DATAGRAM_STRIDE)
		return;
	scratch->transfer = *transfer;
	scratch->ref = *ref;
	look_at_datagrams();
}

#endif
