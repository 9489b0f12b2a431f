import { computed } from "@preact/signals";
import { Comparison } from "../../shared/comparison-state.ts";
import { ComparisonView } from "../../shared/comparison.tsx";
import { cancelComparison, compareDevices, networkVersion, prepared } from "../state/index.ts";

const comparison = new Comparison({
  compare: compareDevices,
  cancelComparison,
  prefix: "",
  network: "this network",
  examples: "images",
  subject: computed(() => prepared.value && networkVersion.value),
});

/** Compares training on the available devices. */
export const Devices = () => <ComparisonView of={comparison} />;
