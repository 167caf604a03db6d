/** What the running kernel can do that BTF does not tell. */
import { release } from "node:os";

/** One link for many places of a file, and a cookie for each: without, a link each, and no cookies. */
export function hasMultiUprobes(): boolean {
  return isKernelAtLeast(6, 6);
}

export function isKernelAtLeast(wantedMajor: number, wantedMinor: number): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
