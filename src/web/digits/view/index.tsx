/*
 * The Digits tab.
 */
import "./digits.css";
import { signal } from "@preact/signals";
import { TabList } from "../../shared/tab-list.tsx";
import { Controls } from "./controls.tsx";
import { Comparison } from "./comparison.tsx";
import { Confusion } from "./confusion.tsx";
import { Curves } from "./curves.tsx";
import { Dispatches } from "./dispatches.tsx";
import { NetworkEditor } from "./network-editor.tsx";
import { OptionsEditor } from "./options-editor.tsx";
import { DrawPad } from "./pad.tsx";
import { Weights } from "./weights.tsx";

const looks = [
  { name: "weights", title: "First layer", View: Weights },
  { name: "confusion", title: "Mistakes", View: Confusion },
  { name: "comparison", title: "Devices", View: Comparison },
  { name: "dispatches", title: "What runs", View: Dispatches },
] as const;

const look = signal<(typeof looks)[number]["name"]>("weights");

export function Digits() {
  const { View } = looks.find(({ name }) => name === look.value)!;
  return (
    <div class="digits">
      <Controls />
      <div class="columns">
        <div class="column">
          <NetworkEditor />
          <OptionsEditor />
        </div>
        <div class="column">
          <Curves />
          <section class="card look">
            <TabList
              label="Looks into the network"
              tabs={looks}
              chosen={look.value}
              choose={(name) => (look.value = name)}
            />
            <div role="tabpanel" id={`panel-${look.value}`} aria-labelledby={`tab-${look.value}`}>
              <View />
            </div>
          </section>
        </div>
        <div class="column">
          <DrawPad />
        </div>
      </div>
    </div>
  );
}
