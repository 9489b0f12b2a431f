import type * as Comlink from "comlink";
import { useEffect } from "preact/hooks";
import { percent } from "../../shared/format.ts";
import { LossChart } from "./loss-chart.tsx";
import { RunButtons } from "../../shared/run-view.tsx";
import { ShareButton } from "../../shared/share.tsx";
import { visit } from "../../shared/address/history.ts";
import type { WorkerApi } from "../../contract.ts";
import { CloseButton } from "../../shared/close-button.tsx";
import { ContinueOnCpu } from "../../continue.tsx";
import { Checkbox, Segments, Select } from "../../shared/fields.tsx";
import { DataPanel } from "./data-panel.tsx";
import { ExpertSettings } from "./expert.tsx";
import { NetworkPanel } from "./network-panel.tsx";
import { FitPicture, Picture } from "./picture.tsx";
import { classifyFields, type Mode } from "../settings.ts";
import {
  change,
  connect,
  deviceGone,
  frame,
  idle,
  message,
  playgroundCommands,
  playgroundState,
  running,
} from "../state/index.ts";
import { numberText } from "./text.ts";
import "./playground.css";

/** The Playground tab. It trains while it is visible. */
export function Playground({ worker }: { worker: Comlink.Remote<WorkerApi> }) {
  useEffect(() => connect(worker.openPlayground()), [worker]);
  const { mode } = playgroundState.value;
  const hasDiagram = mode === "classify" || mode === "regress";
  return (
    <div class={hasDiagram ? "playground with-diagram" : "playground"}>
      <div class="playground-top">
        <Toolbar />
        <Message />
      </div>
      <div class="playground-middle">
        <Picture />
        {mode !== "surface" && <PictureOptions />}
        {mode !== "surface" && <Legend mode={mode} />}
        <Numbers />
        {hasDiagram && <LossChart hasTest />}
      </div>
      <DataPanel />
      <div class="playground-side">
        <NetworkPanel />
        {mode === "surface" && <FitPicture />}
        {!hasDiagram && <LossChart hasTest={mode !== "surface"} />}
        <ExpertSettings />
      </div>
    </div>
  );
}

const modeOptions: readonly { value: Mode; text: string; testId: string }[] = [
  { value: "classify", text: "Classification", testId: "playground-mode-classify" },
  { value: "regress", text: "Regression", testId: "playground-mode-regress" },
  { value: "neuron", text: "Single neuron", testId: "playground-mode-neuron" },
  { value: "surface", text: "Loss surface", testId: "playground-mode-surface" },
];

const speedTitles = {
  full: "Full speed",
  "2": "2 steps/s",
  "10": "10 steps/s",
  "30": "30 steps/s",
  "100": "100 steps/s",
  "300": "300 steps/s",
  "1000": "1000 steps/s",
};

function Toolbar() {
  const state = playgroundState.value;
  const { mode } = state;
  return (
    <div class="row playground-toolbar">
      <RunButtons prefix="playground-" running={running.value} idle={idle.value} commands={playgroundCommands} />
      <Segments
        legend="Mode"
        name="playground-mode"
        options={modeOptions}
        value={mode}
        onChange={(next) => visit(() => (playgroundState.value = { ...state, mode: next }))}
      />
      <div class="row">
        <Select
          label="Speed"
          layout="inline"
          testId="playground-speed"
          options={classifyFields.speed.values}
          titles={speedTitles}
          value={state[mode].speed}
          onChange={(speed) => change(mode, { speed })}
        />
        <ShareButton testId="playground-share" />
      </div>
    </div>
  );
}

function Message() {
  const { value } = message;
  return (
    <div class={`playground-message ${value?.kind ?? ""}`} role="status" hidden={!value}>
      <span data-testid="playground-message">{value?.text}</span>{" "}
      <CloseButton close={() => (message.value = undefined)} />
      {deviceGone.value && <ContinueOnCpu />}
    </div>
  );
}

/** What the picture shows beside the training points. */
function PictureOptions() {
  const state = playgroundState.value;
  return (
    <div class="row playground-options">
      <Checkbox
        label="Test points"
        testId="playground-test-points"
        value={state.testPoints}
        onChange={(testPoints) => (playgroundState.value = { ...state, testPoints })}
      />
      {state.mode === "classify" && (
        <Checkbox
          label="Classes only"
          testId="playground-discretized"
          value={state.discretized}
          onChange={(discretized) => (playgroundState.value = { ...state, discretized })}
        />
      )}
    </div>
  );
}

/** What the colors mean, in the picture and in the diagram. */
function Legend({ mode }: { mode: Exclude<Mode, "surface"> }) {
  if (mode === "regress") return null;
  return (
    <p class="playground-legend">
      <span>Class 0, negative</span>
      <i class="playground-scale" />
      <span>Class 1, positive</span>
    </p>
  );
}

function Numbers() {
  const { mode } = playgroundState.value;
  const current = frame.value?.mode === mode ? frame.value : undefined;
  const { step, epoch, loss, testLoss, accuracy, testAccuracy } = current ?? {
    step: 0,
    epoch: 0,
    loss: NaN,
    testLoss: NaN,
    accuracy: NaN,
    testAccuracy: NaN,
  };
  const hasClasses = mode === "classify" || mode === "neuron";
  return (
    <dl class="numbers playground-numbers">
      <Entry name="Step" testId="playground-step-count" text={String(step)} />
      {mode !== "surface" && <Entry name="Epoch" testId="playground-epoch" text={String(Math.floor(epoch))} />}
      <Entry name="Loss" testId="playground-loss" text={numberText(loss)} />
      {mode !== "surface" && <Entry name="Test loss" testId="playground-test-loss" text={numberText(testLoss)} />}
      {hasClasses && <Entry name="Accuracy" testId="playground-accuracy" text={percent(accuracy)} />}
      {hasClasses && <Entry name="Test accuracy" testId="playground-test-accuracy" text={percent(testAccuracy)} />}
    </dl>
  );
}

function Entry({ name, testId, text }: { name: string; testId: string; text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-testid={testId}>{text}</dd>
    </div>
  );
}
