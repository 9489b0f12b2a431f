/*
 * What the page uses of the Digits tab.
 */
import { remote } from "../link.ts";
import type { TabContent } from "../tabs.ts";
import {
  connect,
  fault,
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
  async takeFile(file) {
    try {
      const { takeFile } = await import("./dropped.ts");
      await takeFile(file);
    } catch {
      fault.value = `The files of this page that read ${file.name} could not be loaded. Check the connection, and drop it again.`;
    }
  },
} satisfies TabContent;
