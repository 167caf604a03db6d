/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which system call this is, and its arguments, from the registers at its exit. */
#ifndef L7PROF_SYSCALLS_H
#define L7PROF_SYSCALLS_H

#include "field.bpf.h"

#define SYSCALL_NUMBERS 512

/* Number → CALL_…; 0 for those that move no bytes of a socket. */
static const u8 call_of_syscall[SYSCALL_NUMBERS] = {
#if defined(__TARGET_ARCH_x86)
	[0] = CALL_READ,
	[1] = CALL_WRITE,
	[3] = CALL_CLOSE,
	[9] = CALL_MAP,
	[19] = CALL_READV,
	[20] = CALL_WRITEV,
	[40] = CALL_SENDFILE,
	[42] = CALL_CONNECT,
	[43] = CALL_ACCEPT,
	[44] = CALL_SENDTO,
	[45] = CALL_RECVFROM,
	[46] = CALL_SENDMSG,
	[47] = CALL_RECVMSG,
	[275] = CALL_SPLICE,
	[288] = CALL_ACCEPT, /* accept4 */
	[299] = CALL_RECVMMSG,
	[307] = CALL_SENDMMSG,
	[327] = CALL_READV, /* preadv2 */
	[328] = CALL_WRITEV, /* pwritev2 */
#elif defined(__TARGET_ARCH_arm64)
	[57] = CALL_CLOSE,
	[63] = CALL_READ,
	[64] = CALL_WRITE,
	[65] = CALL_READV,
	[66] = CALL_WRITEV,
	[71] = CALL_SENDFILE,
	[76] = CALL_SPLICE,
	[202] = CALL_ACCEPT,
	[203] = CALL_CONNECT,
	[206] = CALL_SENDTO,
	[207] = CALL_RECVFROM,
	[211] = CALL_SENDMSG,
	[212] = CALL_RECVMSG,
	[242] = CALL_ACCEPT, /* accept4 */
	[222] = CALL_MAP,
	[243] = CALL_RECVMMSG,
	[269] = CALL_SENDMMSG,
	[286] = CALL_READV, /* preadv2 */
	[287] = CALL_WRITEV, /* pwritev2 */
#endif
};

static __always_inline u8 call_of(u32 number)
{
	return number < SYSCALL_NUMBERS ? call_of_syscall[number] : 0;
}

#if defined(__TARGET_ARCH_x86)
#define SYSCALL_NUMBER(regs) ((u32)(regs)->orig_ax)
#define SYSCALL_ARG0(regs) ((regs)->di)
#define SYSCALL_ARG1(regs) ((regs)->si)
#define SYSCALL_ARG2(regs) ((regs)->dx)
#define SYSCALL_ARG3(regs) ((regs)->r10)
#define SYSCALL_ARG4(regs) ((regs)->r8)
#elif defined(__TARGET_ARCH_arm64)
#define SYSCALL_NUMBER(regs) ((u32)(regs)->syscallno)
#define SYSCALL_ARG0(regs) ((regs)->orig_x0) /* x0 holds the result by now */
#define SYSCALL_ARG1(regs) ((regs)->regs[1])
#define SYSCALL_ARG2(regs) ((regs)->regs[2])
#define SYSCALL_ARG3(regs) ((regs)->regs[3])
#define SYSCALL_ARG4(regs) ((regs)->regs[4])
#endif

/* A 32-bit program's calls have other numbers and structures, which are not read. */
static __always_inline bool is_compat_call(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return FIELD(task_struct, task, thread_info.status) & 2; /* TS_COMPAT */
#else
	return FIELD(task_struct, task, thread_info.flags) & (1UL << 22); /* TIF_32BIT */
#endif
}

/* For programs that are not handed them: kernel 5.15 and newer. */
static __always_inline struct pt_regs *registers_of_call(void)
{
	return (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

#endif
