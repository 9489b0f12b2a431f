/*
 * How examples get to the device. Usually all of them are uploaded once, and each epoch's order is uploaded beside
 * them. If they are too large for one binding, the rows are gathered in the epoch's order and streamed through a
 * smaller window. A stream's batches go through a window, too. A text stays on the device, or is a stream of windows that
 * the host draws.
 */
import { isText } from "../../data/text/windows.ts";
import type { DataPlan } from "../plan.ts";
import { isReader, widestBytes, type Feed } from "./feed.ts";
import { ResidentFeed } from "./resident.ts";

export type { Feed } from "./feed.ts";

/**
 * Creates a feed for a new session of a backend whose largest tensor has `maxTensorBytes`. The code of an unusual one is loaded
 * when it is needed.
 */
export async function createFeed(plan: DataPlan, maxTensorBytes: number): Promise<Feed> {
  const { source, layout } = plan;
  if (isReader(source)) return new (await import("./stream.ts")).StreamFeed(plan, source, maxTensorBytes);
  if (isText(source)) return new (await import("./text.ts")).TextFeed(plan, source);
  if (source.count * widestBytes(layout) <= maxTensorBytes) return new ResidentFeed(plan, source);
  return new (await import("./window.ts")).WindowFeed(plan, source, maxTensorBytes);
}
