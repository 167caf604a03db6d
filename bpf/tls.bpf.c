// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The plaintext of TLS, at the calls of the libraries: uprobes, which user space attaches to each library that a
 * target maps. A second object beside l7prof.bpf.c, loaded with the maps of the first. Entry points only.
 *
 * Functions of the same shape share a program: SSL_read and gnutls_record_recv, for instance.
 */
#define L7PROF_PREEMPTIBLE
#include "go-call.bpf.h"
#include "tls-call.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Has nothing in it. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} no_programs SEC(".maps");

/*
 * From kernel 6.13 on a program like these has its stack in memory of the CPU, which another that preempts it there
 * overwrites: uprobes can be preempted, and nothing keeps a second run out. The kernel oopsed (7.3, PREEMPT_LAZY). A
 * program with a tail call keeps the stack of its thread. This one is never made, and the verifier takes it out, but has
 * counted it before (bpf_enable_priv_stack in kernel/bpf/verifier.c).
 */
static __always_inline void keep_stack_of_thread(struct pt_regs *regs)
{
	if (!config.tls_slots)
		bpf_tail_call(regs, &no_programs, 0);
}

#define UPROBE(name)                                                                                                   \
	static __always_inline void name##_reached(struct pt_regs *regs);                                              \
	SEC("uprobe") int name(struct pt_regs *regs)                                                                   \
	{                                                                                                              \
		keep_stack_of_thread(regs);                                                                            \
		name##_reached(regs);                                                                                  \
		return 0;                                                                                              \
	}                                                                                                              \
	static __always_inline void name##_reached(struct pt_regs *regs)

/* int SSL_read(SSL *, void *, int); ssize_t gnutls_record_recv(gnutls_session_t, void *, size_t) */
UPROBE(l7p_tls_read)
{
	tls_call_begins(regs, TLS_READ | TLS_TELLS_END, FUNCTION_ARG1(regs), 0);
}

/* int SSL_read_ex(SSL *, void *, size_t, size_t *); int SSL_read_early_data(SSL *, void *, size_t, size_t *) */
UPROBE(l7p_tls_read_ex)
{
	tls_call_begins(regs, TLS_READ, FUNCTION_ARG1(regs), FUNCTION_ARG3(regs));
}

/* int SSL_write(SSL *, const void *, int); ssize_t gnutls_record_send(gnutls_session_t, const void *, size_t) */
UPROBE(l7p_tls_write)
{
	tls_call_begins(regs, TLS_WRITE, FUNCTION_ARG1(regs), 0);
}

/* int SSL_write_ex(SSL *, const void *, size_t, size_t *); int SSL_write_early_data(…) */
UPROBE(l7p_tls_write_ex)
{
	tls_call_begins(regs, TLS_WRITE, FUNCTION_ARG1(regs), FUNCTION_ARG3(regs));
}

/* OpenSSL's ssl_read_internal(SSL *, void *, size_t, size_t *): unlike SSL_read_ex it tells the end, as SSL_read does */
UPROBE(l7p_tls_read_inner)
{
	tls_call_begins(regs, TLS_READ | TLS_TELLS_END, FUNCTION_ARG1(regs), FUNCTION_ARG3(regs));
}

/* ssl_write_internal(SSL *, const void *, size_t, uint64_t, size_t *) from OpenSSL 3.3 on */
UPROBE(l7p_tls_write_inner)
{
	tls_call_begins(regs, TLS_WRITE, FUNCTION_ARG1(regs), FUNCTION_ARG4(regs));
}

/* ossl_ssize_t SSL_sendfile(SSL *, int, off_t, size_t, int): the bytes never are in the process's memory */
UPROBE(l7p_tls_sendfile)
{
	tls_call_begins(regs, TLS_WRITE, 0, 0);
}

/* int SSL_do_handshake(SSL *), which SSL_accept and SSL_connect call; int gnutls_handshake(gnutls_session_t) */
UPROBE(l7p_tls_shake)
{
	tls_call_begins(regs, TLS_HANDSHAKE, 0, 0);
}

/* Behind a call of one of these, at an instruction that returns from it, or as a return probe. */
UPROBE(l7p_tls_end)
{
	tls_call_ends(regs);
}

/* SSL *SSL_new(SSL_CTX *), when it returns */
UPROBE(l7p_tls_new)
{
	tls_session_begins(FUNCTION_RESULT(regs));
}

/* int gnutls_init(gnutls_session_t *, unsigned): where it leaves the session */
UPROBE(l7p_tls_init)
{
	tls_call_begins(regs, TLS_INIT, 0, 0);
}

/* void SSL_free(SSL *), void gnutls_deinit(gnutls_session_t) */
UPROBE(l7p_tls_free)
{
	tls_session_ends(FUNCTION_ARG0(regs));
}

/* func (*tls.Conn) Read([]byte) (int, error) */
UPROBE(l7p_go_read)
{
	if (is_reported(current_process_id()))
		go_call_begins(regs, TLS_READ);
}

/* func (*tls.Conn) Write([]byte) (int, error) */
UPROBE(l7p_go_write)
{
	if (is_reported(current_process_id()))
		go_call_begins(regs, TLS_WRITE);
}

/* func (*tls.Conn) clientHandshake(context.Context) error, and serverHandshake */
UPROBE(l7p_go_shake)
{
	if (!is_reported(current_process_id()))
		return;
	go_session_begins(regs);
	go_call_begins(regs, TLS_HANDSHAKE);
}

/* At the instructions that return of these, with the results in the registers */
UPROBE(l7p_go_end)
{
	if (is_reported(current_process_id()))
		go_call_ends(regs);
}
