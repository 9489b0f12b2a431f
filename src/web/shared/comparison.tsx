import { Chart, type ChartSeries } from "./chart.tsx";
import type { ComparedRun, Comparison as Compared } from "./comparison-contract.ts";
import { COMPARED_STEPS, type Comparison } from "./comparison-state.ts";
import { rounded } from "./format.ts";
import { Entry } from "./run-view.tsx";

/** Compares training on the available devices from the same seed. */
export function ComparisonView({ of }: { of: Comparison }) {
  const { prefix, network, examples } = of.options;
  const now = of.state.value;
  const busy = now.kind === "busy";
  return (
    <div data-testid={`${prefix}comparison`} class="stack">
      <p class="quiet">
        Trains a new copy of {network} for {COMPARED_STEPS} steps on each device from the same seed: with WebGPU, with
        WebAssembly on the CPU, and with the reference in JavaScript. A slow device stops after ten seconds. Training on
        this page pauses meanwhile.
      </p>
      <div class="row">
        <button
          type="button"
          class="primary"
          data-testid={`${prefix}compare`}
          disabled={!of.isReady.value || busy}
          onClick={of.start}
        >
          {busy ? "Training on each device …" : "Train on each device"}
        </button>
        {busy && (
          <button type="button" data-testid={`${prefix}cancel-comparison`} onClick={of.cancel}>
            Cancel
          </button>
        )}
      </div>
      {now.kind === "failed" && (
        <p class="fault" role="alert">
          {now.message}
        </p>
      )}
      {now.kind === "done" && <Result {...now.found} prefix={prefix} examples={examples} />}
    </div>
  );
}

/** The name and the line style of each kind of device. */
const devices: Record<ComparedRun["kind"], Omit<ChartSeries, "label"> & { readonly name: string }> = {
  webgpu: { name: "WebGPU", color: "--accent", width: 4 },
  wasm: { name: "WebAssembly", color: "--accent-2", width: 2, dash: [6, 6] },
  cpu: { name: "Reference", color: "--text", width: 1, dash: [2, 4] },
};

function Result({ runs, largestDifference, prefix, examples }: Compared & { prefix: string; examples: string }) {
  const [fastest, second] = runs.toSorted((a, b) => b.examplesPerSecond - a.examplesPerSecond);
  const longest = Math.max(...runs.map(({ losses }) => losses.length));
  const steps = Array.from({ length: longest }, (_, step) => step + 1);
  return (
    <>
      <Chart
        title="Loss"
        testId={`${prefix}comparison-chart`}
        xLabel="step"
        wholeSteps
        series={runs.map(({ kind }) => ({ ...devices[kind], label: devices[kind].name }))}
        data={[steps, ...runs.map(({ losses }) => steps.map((step) => losses[step - 1] ?? null))]}
        xValue={String}
        yValue={rounded}
      />
      <dl class="numbers">
        <Entry name="Largest difference in loss" testId={`${prefix}largest-difference`}>
          {largestDifference === 0 ? "0" : largestDifference.toExponential(1)}
        </Entry>
        {runs.map(({ kind, examplesPerSecond }) => (
          <Entry key={kind} name={`${devices[kind].name}, ${examples}/s`} testId={`${prefix}compared-${kind}`}>
            {Math.round(examplesPerSecond).toLocaleString("en")}
          </Entry>
        ))}
        <Entry
          name={`${devices[fastest!.kind].name} speed relative to ${devices[second!.kind].name}`}
          testId={`${prefix}speed-ratio`}
        >
          {rounded(fastest!.examplesPerSecond / second!.examplesPerSecond)} ×
        </Entry>
      </dl>
    </>
  );
}
