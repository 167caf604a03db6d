/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a system call was asked for: its arguments, and where the bytes that it moved lie. */
#ifndef L7PROF_ARGUMENTS_H
#define L7PROF_ARGUMENTS_H

#include "payload.bpf.h"
#include "syscalls.bpf.h"

static __always_inline void set_message(struct transfer *transfer, u64 address)
{
	struct user_msghdr message;

	if (bpf_probe_read_user(&message, sizeof(message), (void *)address))
		return;
	transfer->peer = (u64)message.msg_name;
	transfer->has_control = message.msg_control != NULL;
	transfer->vectors = (u64)message.msg_iov;
	transfer->vector_count = message.msg_iovlen;
}

/* The bytes that the call moved; false if it moved none of the stream. `ret` > 0, or 0 for the end of a read. */
static __always_inline bool describe(struct transfer *transfer, struct pt_regs *regs, u8 call, u32 ret)
{
	u32 flags = 0;

	transfer->call = call;
	transfer->length = ret;
	transfer->is_write = call >= CALL_WRITE && call <= CALL_SPLICE;
	switch (call) {
	case CALL_RECVFROM:
		flags = SYSCALL_ARG3(regs);
		/* fallthrough */
	case CALL_SENDTO:
		transfer->peer = SYSCALL_ARG4(regs);
		/* fallthrough */
	case CALL_READ:
	case CALL_WRITE:
		transfer->buffer = SYSCALL_ARG1(regs);
		break;
	case CALL_READV:
	case CALL_WRITEV:
		transfer->vectors = SYSCALL_ARG1(regs);
		transfer->vector_count = SYSCALL_ARG2(regs);
		break;
	case CALL_RECVMSG:
		flags = SYSCALL_ARG2(regs);
		set_message(transfer, SYSCALL_ARG1(regs));
		break;
	case CALL_SENDMSG:
		set_message(transfer, SYSCALL_ARG1(regs));
		break;
	case CALL_RECVMMSG:
		flags = SYSCALL_ARG3(regs);
		/* fallthrough */
	case CALL_SENDMMSG:
		transfer->messages = SYSCALL_ARG1(regs);
		transfer->vector_count = ret;
		transfer->length = length_of_messages(SYSCALL_ARG1(regs), ret);
		break;
	}
	if (flags & MSG_TRUNC) { /* tcp(7): the bytes are discarded, not copied */
		transfer->buffer = 0;
		transfer->vectors = 0;
		transfer->messages = 0;
	}
	return !(flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE));
}

#endif
