import { signal } from "@preact/signals";
import type { Comparison as Compared } from "../contract.ts";
import { cancelComparison, compareDevices, networkVersion, prepared } from "../state/index.ts";
import { rounded } from "../../shared/format.ts";
import { Chart } from "../../shared/chart.tsx";

/** The number of steps: few enough for a slow CPU, and enough for the loss to fall. */
const STEPS = 30;

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "busy"; readonly network: number }
  | { readonly kind: "done"; readonly found: Compared; readonly network: number }
  | { readonly kind: "failed"; readonly message: string };

const state = signal<State>({ kind: "idle" });

async function compare(): Promise<void> {
  const network = networkVersion.value;
  state.value = { kind: "busy", network };
  try {
    const found = await compareDevices(STEPS);
    if (network === networkVersion.value) state.value = found ? { kind: "done", found, network } : { kind: "idle" };
  } catch (error) {
    if (network === networkVersion.value)
      state.value = { kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}

/** Compares the GPU and the CPU from the same seed. */
export function Comparison() {
  const now = state.value;
  const busy = now.kind === "busy" && now.network === networkVersion.value;
  return (
    <div data-testid="comparison" class="stack">
      <p class="quiet">
        Trains a new copy of this network for {STEPS} steps, first on the GPU and then on the CPU in JavaScript, from
        the same seed. Training on this page pauses meanwhile.
      </p>
      <div class="row">
        <button
          type="button"
          class="primary"
          data-testid="compare"
          disabled={!prepared.value || busy}
          onClick={compare}
        >
          {busy ? "Training on both …" : "Train on both"}
        </button>
        {busy && (
          <button type="button" data-testid="cancel-comparison" onClick={cancelComparison}>
            Cancel
          </button>
        )}
      </div>
      {now.kind === "failed" && (
        <p class="fault" role="alert">
          {now.message}
        </p>
      )}
      {now.kind === "done" && now.network === networkVersion.value && <Result {...now.found} />}
    </div>
  );
}

function Result({ gpu, cpu, largestDifference }: Compared) {
  const steps = Array.from(gpu.losses, (_, step) => step + 1);
  const rate = (examplesPerSecond: number) => Math.round(examplesPerSecond).toLocaleString("en");
  return (
    <>
      <Chart
        title="Loss"
        testId="comparison-chart"
        xLabel="step"
        wholeSteps
        series={[
          { label: "GPU", color: "--accent", width: 4 },
          { label: "CPU", color: "--accent-2", width: 2, dash: [5, 4] },
        ]}
        data={[steps, [...gpu.losses], [...cpu.losses]]}
        xValue={String}
        yValue={rounded}
      />
      <dl class="numbers">
        <div>
          <dt>Largest difference in loss</dt>
          <dd data-testid="largest-difference">{largestDifference === 0 ? "0" : largestDifference.toExponential(1)}</dd>
        </div>
        <div>
          <dt>GPU, images/s</dt>
          <dd>{rate(gpu.examplesPerSecond)}</dd>
        </div>
        <div>
          <dt>CPU, images/s</dt>
          <dd>{rate(cpu.examplesPerSecond)}</dd>
        </div>
        <div>
          <dt>GPU speed relative to CPU</dt>
          <dd data-testid="speed-ratio">{rounded(gpu.examplesPerSecond / cpu.examplesPerSecond)} ×</dd>
        </div>
      </dl>
    </>
  );
}
