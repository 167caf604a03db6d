/** The manifests of deploy/ start l7prof with options that it has, and with what they need on the node. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { config } from "../cli/terminal.ts";

const read = (name: string) => readFileSync(new URL(`../../deploy/${name}`, import.meta.url), "utf8");

describe.each(["job.yaml", "daemonset.yaml"])("deploy/%s", (name) => {
  const text = read(name);

  it("gives l7prof a command line that it takes", () => {
    const [, args] = /^ *args: (\[.*\])$/m.exec(text)!;
    expect(config((JSON.parse(args!) as string[]).join(" ")).targets.all).toBe(true);
  });

  it("shares the node's process IDs and may load BPF programs", () => {
    expect(text).toMatch(/^ *hostPID: true$/m);
    expect(text).toMatch(/^ *privileged: true$/m);
  });
});

it("deploy/Dockerfile copies what the package holds", () => {
  const { files } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const text = read("Dockerfile");
  for (const part of ["bin", "dist", "bpf/prebuilt", "schema"]) {
    expect(files).toContain(part);
    expect(text).toMatch(new RegExp(`^COPY (?:--from=build \\S*/)?${part} `, "m"));
  }
});
