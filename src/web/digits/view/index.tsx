/*
 * The Digits tab.
 */
import "./digits.css";
import "./hero.css";
import { lazy } from "../../shared/lazy.tsx";
import { TabList } from "../../shared/tab-list.tsx";
import { viewOptions } from "../state/index.ts";
import { Curves } from "./curves.tsx";
import { Hero } from "./hero.tsx";
import { view, views } from "./views.tsx";

/** Below the first view of the page, so that its code is loaded later. */
const Settings = lazy(async () => (await import("./settings/index.tsx")).Settings);

const ClassMode = lazy(async () => (await import("../collection/class-mode.tsx")).ClassMode);

export function Digits() {
  if (viewOptions.value.classMode) return <ClassMode />;
  const { View } = views.find(({ name }) => name === view.value)!;
  return (
    <div class="digits">
      <Hero />
      <div class="columns">
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
        <div class="column">
          <Settings />
        </div>
      </div>
    </div>
  );
}
