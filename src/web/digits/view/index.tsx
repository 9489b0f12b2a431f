/*
 * The Digits tab.
 */
import "./digits.css";
import "./hero.css";
import { signal } from "@preact/signals";
import { lazy } from "../../shared/lazy.tsx";
import { TabList } from "../../shared/tab-list.tsx";
import { viewOptions } from "../state/index.ts";
import { Curves } from "./curves.tsx";
import { Hero } from "./hero.tsx";
import { NetworkEditor } from "./network-editor.tsx";
import { OptionsEditor } from "./options-editor.tsx";
import { Weights } from "./weights.tsx";

const views = [
  { name: "weights", title: "Weights", View: Weights },
  { name: "confusion", title: "Confusion matrix", View: lazy(async () => (await import("./confusion.tsx")).Confusion) },
  {
    name: "drawings",
    title: "Our drawings",
    View: lazy(async () => (await import("../collection/gallery.tsx")).Gallery),
  },
  { name: "runs", title: "Runs", View: lazy(async () => (await import("./runs.tsx")).Runs) },
  { name: "comparison", title: "Devices", View: lazy(async () => (await import("./comparison.tsx")).Comparison) },
  { name: "dispatches", title: "Dispatches", View: lazy(async () => (await import("./dispatches.tsx")).Dispatches) },
] as const;

/** The chosen view. */
export const view = signal<(typeof views)[number]["name"]>("weights");

const ClassMode = lazy(async () => (await import("../collection/class-mode.tsx")).ClassMode);

export function Digits() {
  if (viewOptions.value.classMode) return <ClassMode />;
  const { View } = views.find(({ name }) => name === view.value)!;
  return (
    <div class="digits">
      <Hero />
      <div class="columns">
        <div class="column">
          <NetworkEditor />
          <OptionsEditor />
        </div>
        <div class="column">
          <Curves />
          <section class="card look">
            <TabList
              label="Details of the network"
              tabs={views}
              chosen={view.value}
              choose={(name) => (view.value = name)}
            />
            <div role="tabpanel" id={`panel-${view.value}`} aria-labelledby={`tab-${view.value}`}>
              <View />
            </div>
          </section>
        </div>
      </div>
    </div>
  );
}
