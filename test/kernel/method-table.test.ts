/** Where OpenSSL's functions return that end in a jump by a pointer, compared with objdump(1): a model, and the real. */
import { execFileSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { libraries, soughtNames } from "../../src/kernel/tls/functions.ts";
import { methodTargets } from "../../src/kernel/tls/method-table.ts";
import { placementsOf } from "../../src/kernel/tls/placements.ts";
import { returnsOf } from "../../src/kernel/tls/returns.ts";
import {
  addressesOf,
  compileLibrary,
  disassemble,
  type Line,
  returnsIn,
  temporaryDirectory,
  withX86Code,
} from "../support/machine-code.ts";
import { isEnd } from "../support/openssl-forms.ts";

const directory = temporaryDirectory();

const SETTER = `
void SSL_set_connect_state(struct session *s) {
  s->server = 0; touch(s); SET(s, s->method->connect); s->state[1] = 0; }`;

/** As OpenSSL has it in a version where the compiler moves the pointer to the session before it stores into it. */
const SETTER_MOVED = `
asm(".text; .globl SSL_set_connect_state; .type SSL_set_connect_state, @function; SSL_set_connect_state: .cfi_startproc;"
    "push %rbx; .cfi_adjust_cfa_offset 8; mov %rdi, %rbx; mov 0x10(%rbx), %rax; add $0x868, %rbx; mov 0x20(%rax), %rax;"
    "mov %rax, 0x18-0x868(%rbx); mov %rbx, %rdi; call touch@plt; pop %rbx; ret; .cfi_endproc;"
    ".size SSL_set_connect_state, .-SSL_set_connect_state");`;

/** Each function has its own number, so that the compiler makes none of two. */
const source = `
#include <stddef.h>
struct session; struct context;
struct method {
  int version; unsigned flags;
  struct session *(*ssl_new)(struct context *);
  void (*clear)(struct session *);
  int (*accept)(struct session *);
  int (*connect)(struct session *);
  int (*renegotiate)(struct session *);
};
struct context { long references; const struct method *method; };
struct session {
  long references; struct context *context; const struct method *method; int (*handshake_func)(struct session *);
  int server; int state[4];
};
int work(struct session *, int); struct session *make(struct context *); void touch(void *);

static int accept_any(struct session *s) {
  int r = work(s, 1); if (r < 0) { touch(s); return work(s, 2) - 1; } return r + 1; }
static int connect_any(struct session *s) { touch(s); return work(s, 3) + 3; }
static int connect_only(struct session *s) { touch(s); touch(s); return work(s, 8) + 8; }
static int accept_only(struct session *s) { if (s->state[3]) return work(s, 4) * 7; return work(s, 5) - 5; }
static int refuse(struct session *s) { touch(s); return -1; }
static int renegotiate(struct session *s) { touch(s); touch(s->context); return work(s, 9) + 9; }
static struct session *create(struct context *c) {
  struct session *s = make(c); if (s == NULL) return NULL; touch(s); return s; }
static void clear(struct session *s) { touch(s); touch(s->context); }
static const struct method any = { 1, 2, create, clear, accept_any, connect_any, renegotiate };
static const struct method client = { 1, 3, create, clear, refuse, connect_only, renegotiate };
static const struct method server = { 1, 4, create, clear, accept_only, refuse, renegotiate };

const struct method *TLS_method(void) { return &any; }
const struct method *TLS_client_method(void) { return &client; }
const struct method *TLS_server_method(void) { return &server; }
void SSL_set_accept_state(struct session *s) {
  s->server = 1; touch(s); s->handshake_func = s->method->accept; s->state[1] = 0; }
${SETTER}
int SSL_do_handshake(struct session *s) {
  if (s->handshake_func == NULL) { touch(NULL); return -1; }
  if (s->state[2]) { touch(s); if (work(s, 6) > 3) return work(s, 7) + 7; }
  return s->handshake_func(s); }
struct session *SSL_new(struct context *c) {
  if (c == NULL) { touch(NULL); return NULL; }
  if (c->method == NULL) { touch(c); return NULL; }
  return c->method->ssl_new(c); }
`;
const SET = "#define SET(s, to) (s)->handshake_func = (to)";
const SET_BY_CALL = `struct session; static void set(struct session *, int (*)(struct session *));
#define SET(s, to) set(s, to)`;
const SET_BODY = `
static __attribute__((noinline)) void set(struct session *s, int (*to)(struct session *)) { s->handshake_func = to; }`;

function returns(path: string, name: string, from: "table" | "session"): number[] | null {
  const addresses = addressesOf(path);
  const found = withX86Code(path, (code) => {
    const resolve = methodTargets(code, (one) => addresses.get(one), from);
    return returnsOf(code, addresses.get(name)!, resolve);
  });
  return found?.sort((a, b) => a - b) ?? null;
}

function endsInJump(lines: readonly Line[], name: string): boolean {
  return lines.some(({ text, symbol }) => symbol === name && /^(notrack )?jmp +\*/.test(text));
}

describe.runIf(process.arch === "x64").each(["none", "branch"])("a model of OpenSSL (%s)", (protection) => {
  let path: string;
  let lines: readonly Line[];

  beforeAll(() => {
    path = compileLibrary(directory, `model-${protection}`, SET + source, [`-fcf-protection=${protection}`]);
    lines = disassemble(path);
  });

  it("returns from a handshake where each that may be set does", () => {
    const reached = ["SSL_do_handshake", "accept_any", "connect_any", "connect_only", "accept_only", "refuse"];
    expect(endsInJump(lines, "SSL_do_handshake")).toBe(true);
    expect(returnsIn(lines, "SSL_do_handshake").length).toBeGreaterThan(0);
    expect(returns(path, "SSL_do_handshake", "session")).toEqual(returnsIn(lines, ...reached));
  });

  it("returns from SSL_new where the method's own does", () => {
    expect(endsInJump(lines, "SSL_new")).toBe(true);
    expect(returns(path, "SSL_new", "table")).toEqual(returnsIn(lines, "SSL_new", "create"));
  });
});

describe.runIf(process.arch === "x64")("a model of OpenSSL", () => {
  it("whose setter stores relative to another place in the session returns where each that may be set does", () => {
    const path = compileLibrary(directory, "moved", SET + source.replace(SETTER, SETTER_MOVED));
    const reached = ["SSL_do_handshake", "accept_any", "connect_any", "connect_only", "accept_only", "refuse"];
    expect(returns(path, "SSL_do_handshake", "session")).toEqual(returnsIn(disassemble(path), ...reached));
  });

  it("without its setters has a handshake of which nothing is known", () => {
    const path = compileLibrary(directory, "renamed", (SET + source).replaceAll("SSL_set_", "SSL_put_"));
    expect(returns(path, "SSL_do_handshake", "session")).toBeNull();
  });

  it("with a setter that is not understood has a handshake of which nothing is known", () => {
    const path = compileLibrary(directory, "setter", SET_BY_CALL + source + SET_BODY);
    expect(returns(path, "SSL_do_handshake", "session")).toBeNull();
  });
});

describe.runIf(process.arch === "x64").each([
  ["libssl.so.3", 0, "SSL_do_handshake SSL_new SSL_read_early_data SSL_write_early_data SSL_sendfile"],
  ["libgnutls.so.30", 1, "gnutls_init gnutls_handshake gnutls_record_recv gnutls_record_send"],
] as const)("%s", (name, library, functions) => {
  const path = `/usr/lib/x86_64-linux-gnu/${name}`;
  let addresses: ReadonlyMap<string, number>;
  let isReturn: ReadonlySet<number>;

  beforeAll(() => {
    addresses = addressesOf(path, "-D");
    isReturn = new Set(returnsIn(disassemble(path)));
  });

  /** Those between its address and its end, as the symbol says it. */
  function ownReturns(one: string): number[] {
    const text = execFileSync("nm", ["-D", "-S", path], { encoding: "utf8" });
    const [, size] = new RegExp(`^[0-9a-f]+ ([0-9a-f]+) T ${one}@`, "m").exec(text)!;
    const start = addresses.get(one)!;
    return [...isReturn].filter((at) => at >= start && at < start + Number.parseInt(size!, 16));
  }

  it.each(functions.split(" "))("returns from %s at instructions that do", (one) => {
    const from = libraries[library]!.functions[one]!.goesOnFrom;
    const found = withX86Code(path, (code) => {
      const resolve = from && methodTargets(code, (other) => addresses.get(other), from);
      return returnsOf(code, addresses.get(one)!, resolve);
    });
    expect(found).not.toBeNull();
    expect(found!.filter((at) => !isReturn.has(at))).toEqual([]);
    expect(found).toEqual(expect.arrayContaining(ownReturns(one)));
    expect(new Set(found).size).toBe(found!.length);
  });

  it("has no function that takes a return probe", () => {
    withX86Code(path, (code) => {
      const placements = placementsOf(libraries[library]!, code.elf.functions(soughtNames), code)!;
      expect(placements.filter((one) => one.isReturn)).toEqual([]);
      const ends = placements.filter(isEnd).flatMap(({ offsets }) => offsets);
      const addressesOfEnds = ends.map((offset) => code.elf.codeAddress(offset)!);
      expect(addressesOfEnds).toEqual(expect.arrayContaining(functions.split(" ").flatMap(ownReturns)));
      // Behind calls of what is shared, too: ends.test.ts.
      const areAllReturns = addressesOfEnds.every((address) => isReturn.has(address));
      expect(areAllReturns).toBe(libraries[library]!.shared.length === 0);
    });
  });
});
