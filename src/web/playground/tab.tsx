/*
 * What the page uses of the Playground tab.
 */
import { remote } from "../link.ts";
import type { TabContent } from "../tabs.ts";
import { formatPlayground, playgroundCommands, readPlaygroundAddress, resume } from "./state/index.ts";
import { Playground } from "./view/index.tsx";

export const playgroundTab: TabContent = {
  View: () => remote.value && <Playground worker={remote.value} />,
  format: formatPlayground,
  read: readPlaygroundAddress,
  commands: playgroundCommands,
  resume,
};
