/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is the same at both ends of a connection. TCP: the two numbers at which its two streams began, each drawn by
 * one end and told to the other in the handshake (RFC 9293, 3.4). Together 64 bits that are as good as unique, they
 * hold in every network namespace and through NAT, where addresses do not. A unix socket points at its other end.
 */
#ifndef L7PROF_STREAM_H
#define L7PROF_STREAM_H

#include "field.bpf.h"

/* In the upper half where the stream that comes in began, in the lower half the one that goes out. */
static __always_inline u64 tcp_bases_now(struct tcp_sock *tcp)
{
	u32 in = FIELD(tcp_sock, tcp, rcv_nxt) - (u32)FIELD(tcp_sock, tcp, bytes_received);
	u32 out = FIELD(tcp_sock, tcp, snd_una) - (u32)FIELD(tcp_sock, tcp, bytes_acked);

	return (u64)in << 32 | out;
}

/*
 * Where the two streams began. The way in is exact; the way out is one less on the side that connected, whose SYN
 * counts as acknowledged.
 */
static __attribute__((noinline)) u64 tcp_bases(struct sock *sk)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	u64 bases = tcp_bases_now(tcp);

	/* Segments may arrive between the loads. */
	for (u32 i = 0; i < 3 && bases != tcp_bases_now(tcp); i++)
		bases = tcp_bases_now(tcp);
	return bases;
}

/* The address of the other end's struct sock: as a number, which can be taken apart. */
static __always_inline u64 unix_peer(struct sock *sk)
{
	return (u64)BPF_CORE_READ((struct unix_sock *)sk, peer);
}

#endif
