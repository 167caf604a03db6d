/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How much of a call is worth copying. User space walks a body by its length alone, so once a head with a
 * Content-Length has gone by, the rest of that body need not be copied. This only ever saves copies: the lengths
 * are reported all the same, and where it is in doubt, everything is copied.
 *
 * To read every head here would cost the many small messages more than they gain: only large calls are looked at,
 * and connections that have shown large bodies.
 */
#ifndef L7PROF_BODY_H
#define L7PROF_BODY_H

#include "pieces.bpf.h"
#include "sniff.bpf.h"

#define WHOLE_CALL (MAX_PIECES * HEAD_BYTES)
#define BULK_BYTES 4096
#define SCAN_BYTES 512 /* a longer head is not understood here */
#define MAX_DIGITS 15

/* Eight letters in any case, compared in one go; little-endian, as both x86-64 and arm64 are. */
#define LETTERS(a, b, c, d, e, f, g, h)                                                             \
	((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 | (u64)(f) << 40 | \
	 (u64)(g) << 48 | (u64)(h) << 56)
#define IN_LOWER_CASE(at) (*(u64 *)(at) | 0x2020202020202020ULL)

/* Looks at the line that begins after byte `i`, if a line ends there; false at the end of the head. */
static __always_inline bool scan_line(struct scratch *scratch, u64 i)
{
	u8 *line;
	u64 name;

	if (i >= SCAN_BYTES)
		return false;
	if (scratch->payload[i] != '\n')
		return true;
	line = scratch->payload + i + 1;
	if (line[0] == '\r' && line[1] == '\n') {
		scratch->head.end = i + 3;
		return false;
	}
	name = IN_LOWER_CASE(line);
	if (name == LETTERS('c', 'o', 'n', 't', 'e', 'n', 't', '-')) {
		if (IN_LOWER_CASE(line + 7) == LETTERS('-', 'l', 'e', 'n', 'g', 't', 'h', ':'))
			scratch->head.content_length_at = i + 16;
	} else if (name == LETTERS('t', 'r', 'a', 'n', 's', 'f', 'e', 'r')) {
		scratch->head.is_coded = 1;
	}
	return true;
}

/* Finds the end of the head and its framing fields in the first `length` bytes of the scratch; answers in it. */
__attribute__((noinline)) int scan_head(u32 length)
{
	struct scratch *scratch = scratch_of_cpu();
	u32 count = length > 2 ? length - 2 : 0;

	if (!scratch)
		return 0;
	scratch->head.end = 0;
	scratch->head.content_length_at = 0;
	scratch->head.is_coded = 0;
	EACH(i, count, SCAN_BYTES, SCAN_BYTES, scan_line(scratch, i));
	return 0;
}

/* The value of Content-Length; answers -1 if it is not plainly a number. */
__attribute__((noinline)) long content_length(void)
{
	struct scratch *scratch = scratch_of_cpu();
	long value = 0;
	u32 at;

	if (!scratch)
		return -1;
	at = *(volatile u32 *)&scratch->head.content_length_at;
	if (!at || at > SCAN_BYTES + 16)
		return -1;
	if (scratch->payload[at] == ' ')
		at++;
	for (u32 digits = 0; digits < MAX_DIGITS; digits++) {
		u8 c = scratch->payload[at + digits];

		if (c == '\r')
			return digits ? value : -1;
		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + (c - '0');
	}
	return -1;
}

/* RFC 9112, 6.3: responses that have no body, whatever their fields say. (To HEAD: that shows in what follows.) */
static __always_inline bool has_no_body(const u8 *b)
{
	return is_status_line(b) && (b[9] == '1' || (b[9] == '2' && b[11] == '4') || (b[9] == '3' && b[11] == '4'));
}

/* The call begins with a head: how much of it to copy, and in `body` how much body is still to come. */
static __always_inline u32 limit_of_head(struct connection *connection, struct scratch *scratch,
					 struct transfer *transfer, u64 *body)
{
	u32 end, after;
	long announced;

	scan_head(copy_head(scratch, transfer, BULK_BYTES));
	end = *(volatile u32 *)&scratch->head.end; /* read once, so that the bound holds for every use */
	if (!end || end > transfer->length || end > SCAN_BYTES + 2 || scratch->head.is_coded ||
	    has_no_body(scratch->payload))
		return WHOLE_CALL;
	announced = content_length();
	after = transfer->length - end;
	/* With less body than bytes, another message follows in this very call; so it does after an answer to HEAD. */
	if (announced < 0 || (u64)announced < after || (after && is_status_line(scratch->payload + end)))
		return WHOLE_CALL;
	*body = announced - after;
	connection->wants_body = !after;
	return config.keep_bytes;
}

/*
 * The call is in the payload: it is a head and nothing else, so what comes next is perhaps a large body. (A request
 * without a body mostly begins with G, and a response that has a small one brings it in the same call.)
 */
static __always_inline bool is_head_alone(struct scratch *scratch, u32 length)
{
	/* Two comparisons, and not one of a difference, from which kernel 6.1 learns nothing about the length. */
	barrier_var(length);
	if (length >= SCAN_BYTES)
		return false;
	barrier_var(length);
	return length >= 16 && scratch->payload[0] != 'G' &&
	       *(u32 *)(scratch->payload + length - 4) == ('\r' | '\n' << 8 | '\r' << 16 | '\n' << 24);
}

static __always_inline void expect_body(struct connection *connection, struct scratch *scratch, u32 length,
					bool is_write)
{
	u64 *body = is_write ? &connection->out_body : &connection->in_body;
	long announced;

	scan_head(length);
	if (*(volatile u32 *)&scratch->head.end != length || scratch->head.is_coded || has_no_body(scratch->payload))
		return;
	announced = content_length();
	if (announced < BULK_BYTES)
		return;
	*body = announced;
	connection->wants_body = true;
}

/* User space has found it to be in the middle of a long body whose head was not understood here. */
static __always_inline bool is_passed(struct scratch *scratch, struct transfer *transfer)
{
	u64 session = scratch->event.event.flags & FLAG_TLS ? 1ULL << 33 : 0; /* as user space numbers sessions */
	u64 key = session | (u64)scratch->event.event.connection << 1 | transfer->is_write;
	u32 *position = bpf_map_lookup_elem(&passed, &key);

	return position && (s32)(*position - (scratch->event.position + transfer->length)) >= 0;
}

/* How many bytes from the beginning of the call to copy. */
static __always_inline u32 copy_limit(struct connection *connection, struct scratch *scratch,
				      struct transfer *transfer)
{
	u64 *body = transfer->is_write ? &connection->out_body : &connection->in_body;
	u32 length = transfer->length;
	bool is_first;

	if (length < BULK_BYTES && !*body && !connection->is_bulk)
		return WHOLE_CALL;
	if (sniff(copy_head(scratch, transfer, SNIFF_BYTES)) == SNIFFED_HTTP) {
		*body = 0;
		return limit_of_head(connection, scratch, transfer, body);
	}
	if (length <= *body) {
		is_first = connection->wants_body;
		connection->wants_body = false;
		*body -= length;
		return is_first ? config.keep_bytes : 0;
	}
	*body = 0;
	if (length < BULK_BYTES)
		return WHOLE_CALL;
	connection->is_bulk = true;
	return is_passed(scratch, transfer) ? 0 : WHOLE_CALL;
}

#endif
