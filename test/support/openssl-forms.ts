/** What OpenSSL's functions do, in small libraries. */
import { libraries, soughtNames } from "../../src/kernel/tls/functions.ts";
import { type Placement, placementsOf } from "../../src/kernel/tls/placements.ts";
import type { X86Code } from "../../src/kernel/tls/x86-code.ts";
import { compileLibrary, compileMain, temporaryDirectory, withX86Code } from "./machine-code.ts";

const directory = temporaryDirectory();

/** What OpenSSL's functions do, in the forms that they have had. */
export const parts = {
  read: `
static __attribute__((noinline)) int read_inner(void *s, void *b, size_t n, size_t *l) {
  int r = work(s, b, n, l); touch(s); return r > 3 ? work(s, b, n, l) : r; }
int SSL_read(void *s, void *b, int n) { size_t l; if (n < 0) return -1;
  int r = read_inner(s, b, n, &l); return r > 0 ? (int)l : r; }
int SSL_read_ex(void *s, void *b, size_t n, size_t *l) { int r = read_inner(s, b, n, l); return r < 0 ? 0 : r; }`,
  write: `
static __attribute__((noinline)) int write_inner(void *s, const void *b, size_t n, size_t *l) {
  int r = put(s, b, n, l); touch(s); return r > 3 ? put(s, b, n, l) : r; }
int SSL_write(void *s, const void *b, int n) { size_t l; if (n < 0) return -1;
  int r = write_inner(s, b, n, &l); return r > 0 ? (int)l : r; }
int SSL_write_ex(void *s, const void *b, size_t n, size_t *l) { int r = write_inner(s, b, n, l); return r < 0 ? 0 : r; }`,
  writeWithFlags: `
static __attribute__((noinline)) int write_inner(void *s, const void *b, size_t n, unsigned long f, size_t *l) {
  if (f) touch(b); int r = put(s, b, n, l); touch(s); return r > 3 ? put(s, b, n, l) : r; }
int SSL_write(void *s, const void *b, int n) { size_t l; if (n < 0) return -1;
  int r = write_inner(s, b, n, 0, &l); return r > 0 ? (int)l : r; }
int SSL_write_ex2(void *s, const void *b, size_t n, unsigned long f, size_t *l) {
  int r = write_inner(s, b, n, f, l); return r < 0 ? 0 : r; }`,
  other: `
static __attribute__((noinline)) int other(void *b, void *s, size_t n, size_t *l) {
  int r = work(s, b, n, l); touch(s); return r > 3 ? work(s, b, n, l) : r; }
int SSL_read(void *s, void *b, int n) { size_t l; int r = other(b, s, n, &l); return r > 0 ? (int)l : r; }
int SSL_read_ex(void *s, void *b, size_t n, size_t *l) { int r = other(b, s, n, l); return r < 0 ? 0 : r; }`,
};

const HEAD = `#include <stddef.h>
int work(void *, void *, size_t, size_t *); int put(void *, const void *, size_t, size_t *); void touch(const void *);
`;

export function compileOpenSsl(name: string, ...sources: string[]): string {
  const flags = ["-fcf-protection=none", "-fstack-protector-strong"];
  return compileLibrary(directory, name, HEAD + sources.join("\n"), flags);
}

/** A program that has them within itself. */
export function compileProgramWithOpenSsl(name: string, ...sources: string[]): string {
  return compileMain(directory, name, `${HEAD}${sources.join("\n")}\nint main(void) { return 0; }`);
}

/** With those of OpenSSL. */
export function withPlacements<T>(path: string, use: (placements: readonly Placement[], code: X86Code) => T): T {
  return withX86Code(path, (code) => use(placementsOf(libraries[0]!, code.elf.functions(soughtNames), code)!, code))!;
}

/** Whether it sees calls end. */
export function isEnd({ program }: Placement): boolean {
  return ["l7p_tls_end", "l7p_tls_new"].includes(program);
}
