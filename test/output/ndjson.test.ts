import { expect, test } from "vitest";
import { rfc3339 } from "../../src/output/rfc3339.ts";
import { type Fixture, readFixture, render } from "./fixture.ts";

const ndjson = (fixture: Fixture) => render(fixture, { format: "ndjson" });

test("times have the microseconds that they came with", () => {
  expect(rfc3339(1_764_064_801_000_007)).toBe("2025-11-25T10:00:01.000007Z");
  expect(rfc3339(0)).toBe("1970-01-01T00:00:00.000000Z");
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 1e300])(
  "the time %f of a broken recording is still a time",
  (timeUs) => {
    expect(rfc3339(timeUs)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  },
);

test("numbers have no noise, and coverage rounds to 1 only if it is 1", () => {
  const line = ndjson(readFixture("histograms"));
  expect(line).toContain('"cpm":0.3,');
  expect(line).toContain('"mean":0.3,');
  expect(line).toContain('"buckets":[[100,12],[214.5,20]]');
  expect(line).toContain('"coverage":0.999999}');
});

test("fields come in the order of the contract", () => {
  const [start, metrics, , sample, , , summary] = ndjson(readFixture("run"))
    .split("\n")
    .map((line) => JSON.parse(line || "{}"));
  expect(Object.keys(start!).join()).toBe("type,version,time,l7prof,targets,rules");
  expect(Object.keys(metrics!).join()).toBe("type,time,windowMs,edges,capture");
  expect(Object.keys(metrics!.edges[0]).join()).toBe(
    "side,process,peer,protocol,requests,cpm,inFlight,statuses,statusCpm,requestBytes,responseBytes,durationMs,ttfbMs,endpoints",
  );
  expect(Object.keys(sample!).join()).toBe(
    "type,time,reasons,rule,side,process,peer,protocol,durationMs,ttfbMs,request,response,trace,events,traceProblems",
  );
  expect(Object.keys(summary!).join()).toBe("type,time,windowMs,ended,edges,topology,top,capture,samplesHeldBack");
});
