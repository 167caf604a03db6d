import { describe, expect, it } from "vitest";
import { answer, get } from "../messages.ts";
import { startProfiling } from "../profiling.ts";

const WHOLE = { unansweredRequests: 0, orphanResponses: 0, unparsedMessages: 0, coverage: 1 };

/** Version 2, with 12 bytes of addresses and `more` bytes of TLVs. */
function version2(more: number): string {
  const length = 12 + more;
  return `\r\n\r\n\0\r\nQUIT\n\x21\x11${String.fromCharCode(length >> 8, length & 255)}${"\n".repeat(length)}`;
}

const headers = {
  "version 1": "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n",
  "version 1, IPv6": "PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n",
  "version 1, unknown": "PROXY UNKNOWN\r\n",
  "version 2": version2(0),
  "version 2, with 300 bytes of TLVs": version2(300),
};

describe.each(Object.entries(headers))("a PROXY header before the first request: %s", (_, header) => {
  it.each([
    ["in the call that reads the request", [`${header}${get("/a")}`]],
    ["in a call of its own", [header, get("/a")]],
    ["in two calls, and the request byte by byte", [header.slice(0, 15), header.slice(15), ...get("/a")]],
  ])("%s", (_, calls) => {
    const profiling = startProfiling();
    const c = profiling.wire.connection();
    for (const call of calls) c.read(call);
    c.write(answer(200)).read(get("/b")).write(answer(404));
    expect(profiling.pairs()).toEqual(["GET /a → 200", "GET /b → 404"]);
    expect(profiling.samples).toMatchObject([{ request: { bytes: get("/a").length } }, {}]);
    expect(profiling.capture()).toMatchObject(WHOLE);
  });

  it("on the client's side", () => {
    const profiling = startProfiling();
    const c = profiling.wire.connection({ local: "10.0.0.2:40000", remote: "10.0.0.1:80" });
    c.write(header).write(get("/a")).read(answer(200));
    expect(profiling.pairs()).toEqual(["GET /a → 200"]);
    expect(profiling.edges()).toMatchObject([{ side: "client", requests: 1 }]);
  });

  it("is no header after the first request", () => {
    const profiling = startProfiling();
    const c = profiling.wire.connection();
    c.read(get("/a")).write(answer(200)).read(header);
    expect(profiling.pairs()).toEqual(["GET /a → 200"]);
    expect(profiling.capture().requests).toBe(1);
  });
});
