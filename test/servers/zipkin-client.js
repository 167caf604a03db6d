// A client that OpenZipkin's own instrumentation traces.
//   node zipkin-client.js ZIPKIN_URL
// Prints `ready`. Each line `URL` on stdin is fetched, and answered with `TRACE_ID SPAN_ID` once the span was sent.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
const { BatchRecorder, ExplicitContext, jsonEncoder, sampler, Tracer } = require("zipkin");
const { HttpLogger } = require("zipkin-transport-http");
const wrapFetch = require("zipkin-instrumentation-fetch");

const logger = new HttpLogger({
  endpoint: `${process.argv[2]}/api/v2/spans`,
  jsonEncoder: jsonEncoder.JSON_V2,
  httpInterval: 50,
});
const sent = new Promise((resolve) => logger.on("success", resolve));
const tracer = new Tracer({
  ctxImpl: new ExplicitContext(),
  recorder: new BatchRecorder({ logger }),
  sampler: new sampler.Sampler(() => true),
  localServiceName: "shop",
  traceId128Bit: true,
});

let context;
const fetchTraced = wrapFetch(
  (url, options) => {
    context = [options.headers["X-B3-TraceId"], options.headers["X-B3-SpanId"]];
    return fetch(url, options);
  },
  { tracer, remoteServiceName: "stock" },
);

createInterface({ input: process.stdin })
  .on("line", async (url) => {
    await (await fetchTraced(url)).text();
    await sent;
    process.stdout.write(`${context.join(" ")}\n`);
  })
  .on("close", () => process.exit());
process.stdout.write("ready\n");
