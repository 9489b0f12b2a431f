import { useSignal } from "@preact/signals";
import { DispatchTable } from "./dispatch-table.tsx";
import type { StepDispatches } from "./run-contract.ts";

/** Lists the kernels of a training step when the visitor asks for them. */
export function Kernels({ prefix, ask }: { prefix: string; ask: () => Promise<readonly StepDispatches[]> }) {
  const found = useSignal<readonly StepDispatches[]>([]);
  return (
    <div>
      <button type="button" data-testid={`${prefix}kernels`} onClick={async () => (found.value = await ask())}>
        Kernels of a step
      </button>
      {found.value.map(({ network, dispatches }) => (
        <section key={network} aria-label={network}>
          <p class="quiet">
            {network}: {dispatches.length} dispatches
          </p>
          <DispatchTable dispatches={dispatches} testId={`${prefix}dispatches`} />
        </section>
      ))}
    </div>
  );
}
