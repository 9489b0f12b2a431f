/*
 * What the page uses of the Text tab. The page loads it when the tab is first opened.
 */
import { remote } from "../link.ts";
import type { TabContent } from "../tabs.ts";
import { formatText, readTextAddress, resume, takeFile, textCommands } from "./state/index.ts";
import { Text } from "./view/index.tsx";

export const textTab: TabContent = {
  View: () => remote.value && <Text worker={remote.value} />,
  format: formatText,
  read: readTextAddress,
  commands: textCommands,
  resume,
  takeFile,
};
