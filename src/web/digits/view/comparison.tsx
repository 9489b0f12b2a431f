import { signal } from "@preact/signals";
import type { ComparedRun, Comparison as Compared } from "../contract.ts";
import { cancelComparison, compareDevices, networkVersion, prepared } from "../state/index.ts";
import { rounded } from "../../shared/format.ts";
import { Chart, type ChartSeries } from "../../shared/chart.tsx";

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

/** Compares training on the available devices from the same seed. */
export function Comparison() {
  const now = state.value;
  const busy = now.kind === "busy" && now.network === networkVersion.value;
  return (
    <div data-testid="comparison" class="stack">
      <p class="quiet">
        Trains a new copy of this network for {STEPS} steps on each device from the same seed: with WebGPU, with
        WebAssembly on the CPU, and with the reference in JavaScript. Training on this page pauses meanwhile.
      </p>
      <div class="row">
        <button
          type="button"
          class="primary"
          data-testid="compare"
          disabled={!prepared.value || busy}
          onClick={compare}
        >
          {busy ? "Training on each device …" : "Train on each device"}
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

/** The name and the line style of each kind of device. */
const devices: Record<ComparedRun["kind"], Omit<ChartSeries, "label"> & { readonly name: string }> = {
  webgpu: { name: "WebGPU", color: "--accent", width: 4 },
  wasm: { name: "WebAssembly", color: "--accent-2", width: 2, dash: [6, 6] },
  cpu: { name: "Reference", color: "--text", width: 1, dash: [2, 4] },
};

function Result({ runs, largestDifference }: Compared) {
  const [fastest, second] = runs.toSorted((a, b) => b.examplesPerSecond - a.examplesPerSecond);
  const steps = Array.from(runs[0]!.losses, (_, step) => step + 1);
  return (
    <>
      <Chart
        title="Loss"
        testId="comparison-chart"
        xLabel="step"
        wholeSteps
        series={runs.map(({ kind }) => ({ ...devices[kind], label: devices[kind].name }))}
        data={[steps, ...runs.map(({ losses }) => [...losses])]}
        xValue={String}
        yValue={rounded}
      />
      <dl class="numbers">
        <div>
          <dt>Largest difference in loss</dt>
          <dd data-testid="largest-difference">{largestDifference === 0 ? "0" : largestDifference.toExponential(1)}</dd>
        </div>
        {runs.map(({ kind, examplesPerSecond }) => (
          <div key={kind}>
            <dt>{devices[kind].name}, images/s</dt>
            <dd data-testid={`compared-${kind}`}>{Math.round(examplesPerSecond).toLocaleString("en")}</dd>
          </div>
        ))}
        <div>
          <dt>
            {devices[fastest!.kind].name} speed relative to {devices[second!.kind].name}
          </dt>
          <dd data-testid="speed-ratio">{rounded(fastest!.examplesPerSecond / second!.examplesPerSecond)} ×</dd>
        </div>
      </dl>
    </>
  );
}
