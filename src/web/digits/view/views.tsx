/*
 * The views of the network below the charts.
 */
import { signal } from "@preact/signals";
import { lazy } from "../../shared/lazy.tsx";
import { Weights } from "./weights.tsx";

export const views = [
  { name: "weights", title: "Weights", View: Weights },
  { name: "confusion", title: "Confusion matrix", View: lazy(async () => (await import("./confusion.tsx")).Confusion) },
  {
    name: "drawings",
    title: "Our drawings",
    View: lazy(async () => (await import("../collection/gallery.tsx")).Gallery),
  },
  { name: "runs", title: "Runs", View: lazy(async () => (await import("./runs.tsx")).Runs) },
  { name: "comparison", title: "Devices", View: lazy(async () => (await import("./comparison.tsx")).Devices) },
  { name: "dispatches", title: "Dispatches", View: lazy(async () => (await import("./dispatches.tsx")).Dispatches) },
] as const;

/** The chosen view. */
export const view = signal<(typeof views)[number]["name"]>("weights");
