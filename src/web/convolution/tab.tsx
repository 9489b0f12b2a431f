/*
 * What the page uses of the Convolution tab. The page loads it when the tab is first opened.
 */
import { remote } from "../link.ts";
import type { TabContent } from "../tabs.ts";
import { convolutionCommands, formatConvolution, readConvolutionAddress, resume } from "./state/index.ts";
import { Convolution } from "./view/index.tsx";

export const convolutionTab: TabContent = {
  View: () => remote.value && <Convolution worker={remote.value} />,
  format: formatConvolution,
  read: readConvolutionAddress,
  commands: convolutionCommands,
  resume,
};
