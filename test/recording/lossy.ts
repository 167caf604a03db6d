/** Replays with some of the records dropped, as when the ring was full. */
import { RecordingSource } from "../../src/recording/reader.ts";
import type { SourceReader } from "../../src/source.ts";
import { luckOf } from "../core/luck.ts";

export class LossySource extends RecordingSource {
  dropped = 0;
  private readonly isLost: () => boolean;

  /** Drops `share` of all records, at places that `seed` decides. */
  constructor(path: string, share: number, seed: number) {
    super(path);
    const luck = luckOf(seed);
    this.isLost = () => luck() < share;
  }

  override run(reader: SourceReader): ReturnType<RecordingSource["run"]> {
    return super.run({
      onWarning: () => undefined,
      onRelease: () => reader.onRelease(),
      onTick: (nowNs) => reader.onTick(nowNs),
      onLost: (events, bytes) => reader.onLost(events, bytes),
      onRecord: (record) => {
        if (this.isLost()) reader.onLost(++this.dropped, 0);
        else reader.onRecord(record);
      },
    });
  }
}
