/** Which functions of which library are probed with which program of bpf/tls.bpf.c. */
import { METHODS, SETTERS } from "./method-table.ts";
import { R8, RCX } from "./x86-effect.ts";

export interface Probed {
  /** The program at its entry; null: none is needed. */
  readonly enter: string | null;
  /** The program where it ends; null: none is needed. */
  readonly end: string | null;
  /** It is called for each message, and not just for each connection. */
  readonly isFrequent?: true;
  /** It ends in a jump by a pointer out of there (method-table.ts), or may do so. */
  readonly goesOnFrom?: "table" | "session";
}

const END = "l7p_tls_end";

const OPENSSL: Readonly<Record<string, Probed>> = {
  SSL_new: { enter: null, end: "l7p_tls_new", goesOnFrom: "table" },
  SSL_free: { enter: "l7p_tls_free", end: null },
  SSL_do_handshake: { enter: "l7p_tls_shake", end: END, goesOnFrom: "session" },
  SSL_read: { enter: "l7p_tls_read", end: END, isFrequent: true },
  SSL_read_ex: { enter: "l7p_tls_read_ex", end: END, isFrequent: true },
  SSL_read_early_data: { enter: "l7p_tls_read_ex", end: END },
  SSL_write: { enter: "l7p_tls_write", end: END, isFrequent: true },
  SSL_write_ex: { enter: "l7p_tls_write_ex", end: END, isFrequent: true },
  SSL_write_early_data: { enter: "l7p_tls_write_ex", end: END },
  SSL_sendfile: { enter: "l7p_tls_sendfile", end: END },
};

const GNUTLS: Readonly<Record<string, Probed>> = {
  gnutls_init: { enter: "l7p_tls_init", end: END },
  gnutls_deinit: { enter: "l7p_tls_free", end: null },
  gnutls_handshake: { enter: "l7p_tls_shake", end: END },
  gnutls_record_recv: { enter: "l7p_tls_read", end: END, isFrequent: true },
  gnutls_record_send: { enter: "l7p_tls_write", end: END, isFrequent: true },
};

/** A function without a symbol that does the work of several, `int (session, buffer, size, …, size_t *length)`. */
export interface Shared {
  /** This one has a variable for the length. */
  readonly plain: string;
  /** These hand on their argument in the register. */
  readonly extended: readonly (readonly [name: string, register: typeof RCX | typeof R8])[];
  /** By the register that the length's address is in. */
  readonly probed: Readonly<Partial<Record<number, Probed>>>;
}

const OPENSSL_SHARED: readonly Shared[] = [
  {
    plain: "SSL_read",
    extended: [["SSL_read_ex", RCX]],
    probed: { [RCX]: { enter: "l7p_tls_read_inner", end: END, isFrequent: true } },
  },
  {
    plain: "SSL_write",
    extended: [
      ["SSL_write_ex", RCX],
      ["SSL_write_ex2", R8], // OpenSSL 3.3
    ],
    probed: {
      [RCX]: { enter: "l7p_tls_write_ex", end: END, isFrequent: true },
      [R8]: { enter: "l7p_tls_write_inner", end: END, isFrequent: true },
    },
  },
];

export interface Library {
  readonly name: string;
  readonly functions: Readonly<Record<string, Probed>>;
  readonly shared: readonly Shared[];
  /** Without these there is nothing to read. */
  readonly needed: readonly string[];
}

/** OpenSSL, and what took over its names: BoringSSL, LibreSSL. */
export const libraries: readonly Library[] = [
  { name: "OpenSSL", functions: OPENSSL, shared: OPENSSL_SHARED, needed: ["SSL_read", "SSL_write"] },
  { name: "GnuTLS", functions: GNUTLS, shared: [], needed: ["gnutls_record_recv", "gnutls_record_send"] },
];

/** What is looked for in a file: functions that are probed, and those that tell of them. */
export const soughtNames: ReadonlySet<string> = new Set([
  ...METHODS,
  ...SETTERS,
  ...libraries.flatMap(({ functions, shared }) => [
    ...Object.keys(functions),
    ...shared.flatMap(({ extended }) => extended.map(([name]) => name)),
  ]),
]);

/** What a file defines suffices to read a library in it. */
export function hasLibrary(found: ReadonlyMap<string, number>): boolean {
  return libraries.some(({ needed }) => needed.every((name) => found.has(name)));
}
