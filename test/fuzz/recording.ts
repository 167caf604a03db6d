/** The reader of recordings: real ones with some of their bytes changed, cut and repeated. */
import fc from "fast-check";
import { UserError } from "../../src/errors.ts";
import { replay } from "../recording/session.ts";
import { recordings } from "./corpus.ts";
import { check, type Fuzzed } from "./property.ts";

const CODES = ["not-a-recording", "truncated-recording"];

const change = fc.record({
  kind: fc.constantFrom("byte", "word", "delete", "repeat", "cut"),
  at: fc.nat(0xffff_ffff),
  length: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 4096 })),
  value: fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7fff_ffff, 0xffff_ffff, 0x10_0000, 8, 16)),
});

function changed(
  bytes: Buffer,
  { kind, at, length, value }: typeof change extends fc.Arbitrary<infer T> ? T : never,
): Buffer {
  if (bytes.length < 8) return bytes;
  // Mostly past the header, which is hit too, but makes for short runs.
  const start = at % (bytes.length - 4);
  if (kind === "delete") return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + length)]);
  if (kind === "repeat") return Buffer.concat([bytes.subarray(0, start + length), bytes.subarray(start)]);
  if (kind === "cut") return bytes.subarray(0, start);
  const copy = Buffer.from(bytes);
  if (kind === "byte") copy[start] = value;
  else copy.writeUInt32LE(value >>> 0, start & ~3);
  return copy;
}

export const damaged: Fuzzed = {
  name: "recording: damaged, it gives a summary or one clear error",
  testRuns: 40,
  property: () =>
    fc.asyncProperty(
      fc.nat(recordings.length - 1),
      fc.array(change, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(
        "--json --slow 0",
        "--plain --slow 0 --interval 1h",
        "--json --raw-uris --group-by host --interval 0",
      ),
      async (index, changes, flags) => {
        const bytes = changes.reduce<Buffer>(changed, recordings[index]!);
        const { output, error } = await replay(bytes, flags);
        if (error === undefined) return check(output !== "", "no output");
        check(
          error instanceof UserError && CODES.includes(error.code),
          `not a clear error: ${(error as Error)?.stack}`,
        );
        check((output === "") === ((error as UserError).code === "not-a-recording"), "output, and no recording");
      },
    ),
};
