/*
 * What the page uses of the Digits tab.
 */
import { remote } from "../link.ts";
import type { TabContent } from "../tabs.ts";
import { takeFile } from "./dropped.ts";
import {
  connect,
  formatDigits,
  parseDigits,
  prepared,
  reset,
  resume,
  running,
  stepOnce,
  toggleRunning,
} from "./state/index.ts";
import { Digits } from "./view/index.tsx";

export const digitsTab = {
  View: Digits,
  format: formatDigits,
  read: parseDigits,
  commands: { toggle: toggleRunning, step: stepOnce, reset },
  resume: (starts) => (prepared.value ? resume("present", starts || running.value) : connect(remote.value!.digits)),
  takeFile,
} satisfies TabContent;
