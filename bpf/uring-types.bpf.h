/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The requests of io_uring: the kernel's types, and what its operations are here. */
#ifndef L7PROF_URING_TYPES_H
#define L7PROF_URING_TYPES_H

#include "call.bpf.h"

/* UAPI constants (linux/io_uring.h) */
#define OP_READV 1
#define OP_WRITEV 2
#define OP_READ_FIXED 4
#define OP_WRITE_FIXED 5
#define OP_SENDMSG 9
#define OP_RECVMSG 10
#define OP_CLOSE 19
#define OP_READ 22
#define OP_WRITE 23
#define OP_SEND 26
#define OP_RECV 27
#define OP_SPLICE 30
#define OP_SEND_ZC 47
#define OP_SENDMSG_ZC 48
#define OP_READ_MULTISHOT 49
#define OP_RECV_ZC 58
#define OPS 64
#define SQE_FIXED_FILE (1 << 0)    /* request flags, in the order of IOSQE_… */
#define SQE_BUFFER_SELECT (1 << 5)
#define SQE_CQE_SKIP (1 << 6)
#define RECVSEND_MULTISHOT (1 << 1)
#define RECVSEND_BUNDLE (1 << 4)
#define CQE_F_BUFFER (1 << 0)
#define CQE_F_MORE (1 << 1)
#define CQE_BUFFER_SHIFT 16
#define HEADER_BYTES 16 /* sizeof(struct io_uring_recvmsg_out) */

struct io_uring_buf {
	u64 addr;
	u32 len;
	u16 bid;
	u16 tail;
};

/* io_buffer_list.flags */
#define IS_BUFFER_RING 1
#define IS_INCREMENTAL 2

enum iter_type {
	ITER_UBUF = 0,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct iov_iter {
	u8 iter_type;
	unsigned long iov_offset;
	void *ubuf;
};

struct msghdr {
	struct iov_iter msg_iter;
};

struct io_async_msghdr {
	struct msghdr msg;
};

struct hlist_node {
	struct hlist_node *next;
};

struct io_hash_bucket {
	struct hlist_head list;
};

struct io_hash_table {
	struct io_hash_bucket *hbs;
	unsigned int hash_bits;
};

struct xarray {
	void *xa_head;
};

struct xa_node {
	u8 shift;
	void *slots[64];
};

struct list_head {
	struct list_head *next;
};

struct io_buffer_list {
	struct list_head buf_list;
	void *buf_ring;
	u16 head;
	u16 mask;
	u16 flags;
};

struct io_buffer {
	struct list_head list;
	u64 addr;
	u16 bid;
};

struct io_ring_ctx {
	struct io_hash_table cancel_table;
	struct xarray io_bl_xa;
};

struct io_cqe {
	u64 user_data;
	int fd;
};

struct io_uring_cqe {
	u64 user_data;
	int res;
	u32 flags;
};

struct io_kiocb {
	struct file *file;
	u8 opcode;
	u32 flags; /* the lower half */
	struct io_cqe cqe;
	struct io_ring_ctx *ctx;
	u16 buf_index; /* at the submission: the group of buffers to choose from */
	void *async_data;
	struct hlist_node hash_node;
};

/* A request begins with what is particular to its operation. */
struct io_sr_msg {
	void *buf;
	struct user_msghdr *umsg;
	int len;
	u32 done_io;
	u32 msg_flags;
	u16 flags;
	u16 buf_group;
};

struct io_rw {
	u64 addr;
	u32 len;
};

struct io_close {
	int fd;
};

#pragma clang attribute pop

static const u8 call_of_operation[OPS] = {
	[OP_READV] = CALL_READV,
	[OP_WRITEV] = CALL_WRITEV,
	[OP_READ_FIXED] = CALL_READ,
	[OP_WRITE_FIXED] = CALL_WRITE,
	[OP_SENDMSG] = CALL_SENDMSG,
	[OP_RECVMSG] = CALL_RECVMSG,
	[OP_CLOSE] = CALL_CLOSE,
	[OP_READ] = CALL_READ,
	[OP_WRITE] = CALL_WRITE,
	[OP_SEND] = CALL_SENDTO,
	[OP_RECV] = CALL_RECVFROM,
	[OP_SPLICE] = CALL_SPLICE,
	[OP_SEND_ZC] = CALL_SENDTO,
	[OP_SENDMSG_ZC] = CALL_SENDMSG,
	[OP_READ_MULTISHOT] = CALL_READ,
	[OP_RECV_ZC] = CALL_RECVFROM,
};

/* send, recv and their kin, not read and write: their requests have an io_sr_msg and an io_async_msghdr. */
static __always_inline bool is_message_operation(u8 operation)
{
	return operation == OP_SEND || operation == OP_RECV || operation == OP_SENDMSG || operation == OP_RECVMSG ||
	       operation == OP_SEND_ZC || operation == OP_SENDMSG_ZC || operation == OP_RECV_ZC;
}

static __always_inline bool has_vectors(u8 call)
{
	return call == CALL_READV || call == CALL_WRITEV || call == CALL_SENDMSG || call == CALL_RECVMSG;
}

#endif
