/*
 * How examples get to the device. Usually all of them are uploaded once, and each epoch's order is uploaded beside
 * them. If they are too large for one binding, the rows are gathered in the epoch's order and streamed through a
 * smaller window. A stream's batches go through a window, too. A text stays on the device, or is a stream of windows that
 * the host draws.
 */
import { isText } from "../../data/text/windows.ts";
import type { DataPlan } from "../plan.ts";
import { widestBytes, type Feed } from "./feed.ts";
import { StreamReader } from "./reader.ts";
import { ResidentFeed } from "./resident.ts";
import { StreamFeed } from "./stream.ts";
import { TextFeed } from "./text.ts";
import { WindowFeed } from "./window.ts";

export type { Feed } from "./feed.ts";

/** Creates a feed for a new session of a backend whose largest tensor has `maxTensorBytes`. */
export function createFeed(plan: DataPlan, maxTensorBytes: number): Feed {
  const { source, layout } = plan;
  if (source instanceof StreamReader) return new StreamFeed(plan, source, maxTensorBytes);
  if (isText(source)) return new TextFeed(plan, source);
  const fits = source.count * widestBytes(layout) <= maxTensorBytes;
  return fits ? new ResidentFeed(plan, source) : new WindowFeed(plan, source, maxTensorBytes);
}
