/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the first bytes of a call look like. Only a filter, so that a connection to a database costs next to
 * nothing: user space parses what passes and lets go of what turns out to be something else.
 */
#ifndef L7PROF_SNIFF_H
#define L7PROF_SNIFF_H

#include "maps.bpf.h"

#define SNIFF_BYTES 32

#define SNIFFED_OTHER 0
#define SNIFFED_HTTP 1
#define SNIFFED_TLS 2
#define SNIFFED_SHORT 3 /* could still become HTTP */
#define SNIFFED_HTTP2 4 /* a server's SETTINGS, which may precede the client's preface */

/* RFC 9110, 5.6.2: tchar, as a bitmap of the 128 ASCII codes. */
static __always_inline bool is_token_byte(u8 c)
{
	return c < 64 ? (0x03ff6cfa00000000ULL >> c) & 1 : c < 128 && (0x57ffffffc7fffffeULL >> (c - 64)) & 1;
}

/* How a request target can begin: origin, asterisk, absolute and authority form (RFC 9112, 3.2). */
static __always_inline bool is_target_byte(u8 c)
{
	u8 lower = c | 0x20;

	return c == '/' || c == '*' || c == '[' || (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

static __always_inline bool is_status_line(const u8 *b)
{
	return b[0] == 'H' && b[1] == 'T' && b[2] == 'T' && b[3] == 'P' && b[4] == '/' && b[5] == '1' && b[6] == '.';
}

/* Of the first `length` bytes in the scratch. Global: the verifier looks at it once. */
__attribute__((noinline)) int sniff(u32 length)
{
	struct scratch *scratch = scratch_of_cpu();
	bool is_in_token = false;
	u8 *bytes;

	if (!scratch)
		return SNIFFED_OTHER;
	bytes = scratch->payload;
	if (length >= 3 && bytes[0] >= 0x14 && bytes[0] <= 0x17 && bytes[1] == 3 && bytes[2] <= 4)
		return SNIFFED_TLS;
	/* RFC 9113, 4.1: length below 256, type SETTINGS, no flags, stream 0 */
	if (length >= 9 && !bytes[0] && !bytes[1] && bytes[3] == 4 && !bytes[4] && !*(u32 *)(bytes + 5))
		return SNIFFED_HTTP2;
	if (length >= 7 && is_status_line(bytes))
		return SNIFFED_HTTP;
	/* The PROXY protocol's second version, before a request; the first one looks like a request. */
	if (length >= 12 && *(u64 *)bytes == 0x510a0d000a0d0a0dULL && *(u32 *)(bytes + 8) == 0x0a544955)
		return SNIFFED_HTTP;
	for (u32 i = 0; i < SNIFF_BYTES - 1 && i < length; i++) {
		u8 c = bytes[i];

		if (c == ' ' && is_in_token)
			return i + 1 < length && !is_target_byte(bytes[i + 1]) ? SNIFFED_OTHER : SNIFFED_HTTP;
		if (is_token_byte(c))
			is_in_token = true;
		else if (is_in_token || (c != '\r' && c != '\n')) /* RFC 9112, 2.2: empty lines may come first */
			return SNIFFED_OTHER;
	}
	return length < SNIFF_BYTES - 1 ? SNIFFED_SHORT : SNIFFED_OTHER;
}

#endif
