// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The plaintext of TLS, at the calls of the libraries: uprobes, which user space attaches to each library that a
 * target maps. A second object beside l7prof.bpf.c, loaded with the maps of the first. Entry points only.
 *
 * Functions of the same shape share a program: SSL_read and gnutls_record_recv, for instance.
 */
#define L7PROF_PREEMPTIBLE
#include "maps.bpf.h"
#include "tls-scratch.bpf.h"
#include "syscalls.bpf.h"
#include "target.bpf.h"
#include "sniff.bpf.h"
#include "payload.bpf.h"
#include "body.bpf.h"
#include "socket.bpf.h"
#include "tls.bpf.h"
#include "tls-call.bpf.h"
#include "go-call.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* int SSL_read(SSL *, void *, int); ssize_t gnutls_record_recv(gnutls_session_t, void *, size_t) */
SEC("uprobe")
int l7p_tls_read(struct pt_regs *regs)
{
	tls_call_begins(regs, TLS_READ | TLS_TELLS_END, FUNCTION_ARG1(regs), 0);
	return 0;
}

/* int SSL_read_ex(SSL *, void *, size_t, size_t *); int SSL_read_early_data(SSL *, void *, size_t, size_t *) */
SEC("uprobe")
int l7p_tls_read_ex(struct pt_regs *regs)
{
	tls_call_begins(regs, TLS_READ, FUNCTION_ARG1(regs), FUNCTION_ARG3(regs));
	return 0;
}

/* int SSL_write(SSL *, const void *, int); ssize_t gnutls_record_send(gnutls_session_t, const void *, size_t) */
SEC("uprobe")
int l7p_tls_write(struct pt_regs *regs)
{
	tls_call_begins(regs, TLS_WRITE, FUNCTION_ARG1(regs), 0);
	return 0;
}

/* int SSL_write_ex(SSL *, const void *, size_t, size_t *); int SSL_write_early_data(…) */
SEC("uprobe")
int l7p_tls_write_ex(struct pt_regs *regs)
{
	tls_call_begins(regs, TLS_WRITE, FUNCTION_ARG1(regs), FUNCTION_ARG3(regs));
	return 0;
}

/* OpenSSL's ssl_read_internal(SSL *, void *, size_t, size_t *): unlike SSL_read_ex it tells the end, as SSL_read does */
SEC("uprobe")
int l7p_tls_read_inner(struct pt_regs *regs)
{
	tls_call_begins(regs, TLS_READ | TLS_TELLS_END, FUNCTION_ARG1(regs), FUNCTION_ARG3(regs));
	return 0;
}

/* ssl_write_internal(SSL *, const void *, size_t, uint64_t, size_t *) from OpenSSL 3.3 on */
SEC("uprobe")
int l7p_tls_write_inner(struct pt_regs *regs)
{
	tls_call_begins(regs, TLS_WRITE, FUNCTION_ARG1(regs), FUNCTION_ARG4(regs));
	return 0;
}

/* ossl_ssize_t SSL_sendfile(SSL *, int, off_t, size_t, int): the bytes never are in the process's memory */
SEC("uprobe")
int l7p_tls_sendfile(struct pt_regs *regs)
{
	tls_call_begins(regs, TLS_WRITE, 0, 0);
	return 0;
}

/* int SSL_do_handshake(SSL *), which SSL_accept and SSL_connect call; int gnutls_handshake(gnutls_session_t) */
SEC("uprobe")
int l7p_tls_shake(struct pt_regs *regs)
{
	tls_call_begins(regs, TLS_HANDSHAKE, 0, 0);
	return 0;
}

/* Behind a call of one of these, or as a return probe. */
SEC("uprobe")
int l7p_tls_end(struct pt_regs *regs)
{
	tls_call_ends(regs, STACK_AFTER_RETURN(regs));
	return 0;
}

/* At an instruction that returns from one of these. */
SEC("uprobe")
int l7p_tls_return(struct pt_regs *regs)
{
	tls_call_ends(regs, STACK_AT_ENTRY(regs));
	return 0;
}

/* SSL *SSL_new(SSL_CTX *), when it returns */
SEC("uprobe")
int l7p_tls_new(struct pt_regs *regs)
{
	tls_session_begins(FUNCTION_RESULT(regs));
	return 0;
}

/* int gnutls_init(gnutls_session_t *, unsigned): where it leaves the session */
SEC("uprobe")
int l7p_tls_init(struct pt_regs *regs)
{
	tls_call_begins(regs, TLS_INIT, 0, 0);
	return 0;
}

/* void SSL_free(SSL *), void gnutls_deinit(gnutls_session_t) */
SEC("uprobe")
int l7p_tls_free(struct pt_regs *regs)
{
	tls_session_ends(FUNCTION_ARG0(regs));
	return 0;
}

/* func (*tls.Conn) Read([]byte) (int, error) */
SEC("uprobe")
int l7p_go_read(struct pt_regs *regs)
{
	if (is_reported(current_process_id()))
		go_call_begins(regs, TLS_READ);
	return 0;
}

/* func (*tls.Conn) Write([]byte) (int, error) */
SEC("uprobe")
int l7p_go_write(struct pt_regs *regs)
{
	if (is_reported(current_process_id()))
		go_call_begins(regs, TLS_WRITE);
	return 0;
}

/* func (*tls.Conn) clientHandshake(context.Context) error, and serverHandshake */
SEC("uprobe")
int l7p_go_shake(struct pt_regs *regs)
{
	if (!is_reported(current_process_id()))
		return 0;
	go_session_begins(regs);
	go_call_begins(regs, TLS_HANDSHAKE);
	return 0;
}

/* At the instructions that return of these, with the results in the registers */
SEC("uprobe")
int l7p_go_end(struct pt_regs *regs)
{
	if (is_reported(current_process_id()))
		go_call_ends(regs);
	return 0;
}
