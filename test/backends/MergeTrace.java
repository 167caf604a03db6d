import java.nio.charset.StandardCharsets;
import zipkin2.codec.SpanBytesDecoder;
import zipkin2.codec.SpanBytesEncoder;
import zipkin2.internal.Trace;

/** Spans as JSON on standard input → what Zipkin makes of them: the merge that its UI does, too (span-cleaner.js). */
public class MergeTrace {
  public static void main(String[] args) throws Exception {
    var spans = SpanBytesDecoder.JSON_V2.decodeList(System.in.readAllBytes());
    System.out.println(new String(SpanBytesEncoder.JSON_V2.encodeList(Trace.merge(spans)), StandardCharsets.UTF_8));
  }
}
