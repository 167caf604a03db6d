// A backend that can be killed: node backend.js otlp|skywalking FILE PORT. Prints `ready PORT`.
// What it takes goes to FILE, a line for each span or event, before it is acknowledged: the span's ID.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { loadPackageDefinition, Server, ServerCredentials } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const [kind, file, port] = process.argv.slice(2);

function took(lines) {
  appendFileSync(file, lines.map((line) => `${line}\n`).join(""));
}

function startOtlp() {
  const { opentelemetry } = createRequire(import.meta.url)("otlp-definitions/build/src/generated/root.js");
  const { ExportTraceServiceRequest } = opentelemetry.proto.collector.trace.v1;
  const spanIds = (body) =>
    ExportTraceServiceRequest.decode(body)
      .resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
      .map(({ spanId }) => Buffer.from(spanId).toString("hex"));
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const ids = request.url === "/v1/traces" ? spanIds(Buffer.concat(parts)) : [];
    took(ids);
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  });
  server.listen(Number(port), "127.0.0.1", () => ready(server.address().port));
}

function startSkywalking() {
  const definition = loadSync("language-agent/Tracing.proto", {
    includeDirs: [fileURLToPath(new URL("../../proto/skywalking", import.meta.url))],
    keepCase: true,
  });
  const { skywalking } = loadPackageDefinition(definition);
  const collect = (call, callback) => {
    const ids = [];
    call.on("data", ({ traceContext }) => ids.push(traceContext.spanId));
    call.on("end", () => {
      took(ids);
      callback(null, { commands: [] });
    });
  };
  const server = new Server();
  server.addService(skywalking.v3.SpanAttachedEventReportService.service, { collect });
  server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
    if (error) throw error;
    ready(bound);
  });
}

function ready(bound) {
  process.stdout.write(`ready ${bound}\n`);
}

({ otlp: startOtlp, skywalking: startSkywalking })[kind]();
