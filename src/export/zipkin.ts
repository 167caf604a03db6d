/** `--zipkin`: spans to `POST /api/v2/spans`, or as the JSON array that this takes into a file. */
import type { Sample } from "../core/profile/sample.ts";
import { Delivery } from "./delivery.ts";
import { ExportFile } from "./export-file.ts";
import type { Delivered, Exporter, Trouble } from "./exporter.ts";
import { postJson } from "./post.ts";
import { type ZipkinSpan, ZipkinSpans } from "./zipkin-span.ts";

/** `place`: a URL or a file. @throws UserError `cannot-write` */
export function openZipkin(place: string, withUntraced: boolean, onTrouble: Trouble): Exporter {
  const spans = new ZipkinSpans(withUntraced);
  const to = /^https?:/i.test(place) ? backend(place, onTrouble) : spanFile(place, onTrouble);
  let untraced = 0;
  return {
    name: `--zipkin ${place}`,
    sample(sample: Sample) {
      const span = spans.of(sample);
      if (span === null) untraced++;
      else to.put(span);
    },
    end: async () => ({
      ...(await to.end()),
      ...(untraced > 0 && { leftOut: `${untraced} without a span (--zipkin-untraced sends them, too)` }),
    }),
  };
}

interface SpanSink {
  put(span: ZipkinSpan): void;
  end(): Promise<Delivered>;
}

function backend(url: string, onTrouble: Trouble): SpanSink {
  return new Delivery<ZipkinSpan>({ what: "spans", onTrouble, send: (batch, signal) => postJson(url, batch, signal) });
}

function spanFile(path: string, onTrouble: Trouble): SpanSink {
  const file = new ExportFile("--zipkin", path, "spans", onTrouble);
  file.write("[");
  return {
    put: (span) => void file.put(`${file.isEmpty ? "" : ","}\n${JSON.stringify(span)}`),
    end: async () => file.end("\n]\n"),
  };
}
