/*
 * The tools in the drawer for experts: the kernels of a step, and the comparison of devices.
 */
import { useSignal } from "@preact/signals";
import type { Comparison } from "./comparison-state.ts";
import { DispatchTable } from "./dispatch-table.tsx";
import { lazy } from "./lazy.tsx";
import type { StepDispatches } from "./run-contract.ts";
import { ToolButtons } from "./settings-panel.tsx";

const LazyComparison = lazy(async () => (await import("./comparison.tsx")).ComparisonView);

interface ToolsProps {
  readonly prefix: string;
  readonly dispatches: () => Promise<readonly StepDispatches[]>;
  readonly comparison: Comparison;
}

/** The buttons, and below them what they show. */
export function Tools({ prefix, dispatches, comparison }: ToolsProps) {
  const found = useSignal<readonly StepDispatches[]>([]);
  const comparing = useSignal(false);
  return (
    <div class="stack">
      <ToolButtons
        prefix={prefix}
        showKernels={async () => (found.value = await dispatches())}
        showComparison={() => (comparing.value = true)}
      />
      {comparing.value && <LazyComparison of={comparison} />}
      {found.value.map(({ network, dispatches: all }) => (
        <div key={network}>
          <p class="quiet">
            {network}: {all.length} dispatches
          </p>
          <DispatchTable dispatches={all} network={network} testId={`${prefix}dispatches`} />
        </div>
      ))}
    </div>
  );
}
