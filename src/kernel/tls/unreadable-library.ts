/** Names the TLS implementation of a process that l7prof can't read: what it maps tells, or what its program holds. */

import { ElfFile } from "./elf.ts";
import { type MappedFile, nameOf, withFile } from "./mapped-files.ts";

const BY_FILE_NAME: readonly (readonly [pattern: RegExp, library: string])[] = [
  [/^libjvm\.so/, "Java SSLEngine"],
  [/^libssl3\.so$|^libnss3\.so/, "NSS"],
  [/^libmbedtls\.so/, "Mbed TLS"],
  [/^libwolfssl\.so/, "wolfSSL"],
  [/^libs2n\.so/, "s2n-tls"],
];

/** Text that a program holds if the library is linked into it; the first that is found counts. */
const BY_TEXT: readonly (readonly [text: string, library: string])[] = [
  ["rustls", "rustls"],
  ["BoringSSL", "BoringSSL without symbols"],
  ["OpenSSL 3.", "a static OpenSSL without symbols"],
  ["OpenSSL 1.1", "a static OpenSSL without symbols"],
  ["ssl/statem/statem", "a static OpenSSL without symbols"], // its name for a source file, which its errors need
  ["Mbed TLS", "Mbed TLS"],
  ["wolfSSL", "wolfSSL"],
];

const MAX_SEARCHED_BYTES = 64 << 20;

export function unreadableLibrary(files: readonly MappedFile[]): string | null {
  for (const [pattern, library] of BY_FILE_NAME) if (files.some((file) => pattern.test(nameOf(file)))) return library;
  const [program] = files; // mapped at the lowest address
  return program === undefined ? null : withFile(program, (fd) => libraryInProgram(fd));
}

function libraryInProgram(fd: number): string | null {
  const elf = ElfFile.open(fd);
  if (elf === null) return null;
  if (elf.section(".gopclntab") !== undefined || elf.section(".go.buildinfo") !== undefined) return "Go crypto/tls";
  const constants = elf.section(".rodata");
  if (constants === undefined || constants.bytes > MAX_SEARCHED_BYTES) return null;
  const bytes = elf.contents(constants);
  return BY_TEXT.find(([text]) => bytes.includes(text))?.[1] ?? null;
}
