/*
 * The settings of the Digits tab.
 */
import { lossNames } from "../../../shared/names.ts";
import { BatchSize, LearningRate, Loss, Optimizer, Seed } from "../../../shared/controls.tsx";
import { NumberField, Select } from "../../../shared/fields.tsx";
import { AtOnce, Expert, Restarting, SettingsPanel, ToolButtons } from "../../../shared/settings-panel.tsx";
import { visit } from "../../../shared/address/history.ts";
import { device } from "../../../link.ts";
import { show } from "../../../lessons/show.ts";
import { fields, presets, type DigitsSettings, type scheduleNames } from "../../settings.ts";
import { choose, draft, draftFaults, edit } from "../../state/index.ts";
import { view } from "../views.tsx";
import { Layers } from "./layers.tsx";

export const scheduleTitles = {
  constant: "Constant",
  step: "Step decay",
  exponential: "Exponential decay",
  cosine: "Cosine",
  warmup: "Warm-up, cosine",
} as const satisfies Record<(typeof scheduleNames)[number], string>;

export function Settings() {
  const { optimizer } = draft.value;
  return (
    <SettingsPanel>
      <PresetChoice />
      <AtOnce>
        <Options />
      </AtOnce>
      <Restarting>
        <Layers />
        <Optimizer
          testId="optimizer"
          options={fields.optimizer.values}
          value={optimizer}
          onChange={(name) => edit({ optimizer: name })}
        />
        <DataChoice />
      </Restarting>
      <Expert>
        <ExpertSettings />
      </Expert>
      <Faults />
    </SettingsPanel>
  );
}

function Options() {
  const { learningRate, schedule, batchSize, epochs } = draft.value;
  return (
    <>
      <LearningRate
        testId="learning-rate"
        field={fields.learningRate}
        value={learningRate}
        onChange={(value) => edit({ learningRate: value })}
      />
      <BatchSize
        testId="batch-size"
        field={fields.batchSize}
        value={batchSize}
        onChange={(value) => edit({ batchSize: value })}
      />
      <Select
        label="Schedule"
        testId="schedule"
        options={fields.schedule.values}
        titles={scheduleTitles}
        value={schedule}
        onChange={(name) => edit({ schedule: name })}
      />
      <NumberField
        label="Epochs"
        testId="epochs"
        field={fields.epochs}
        value={epochs}
        onChange={(value) => edit({ epochs: value })}
      />
    </>
  );
}

function ExpertSettings() {
  const { loss, seed } = draft.value;
  const open = (name: "dispatches" | "comparison") => {
    view.value = name;
    show(`#tab-${name}`);
  };
  return (
    <>
      <Restarting>
        <Seed testId="seed" field={fields.seed} value={seed} onChange={(value) => edit({ seed: value })} />
        <Loss testId="loss" options={lossNames} value={loss} onChange={(name) => edit({ loss: name })} />
      </Restarting>
      <ToolButtons prefix="" showKernels={() => open("dispatches")} showComparison={() => open("comparison")} />
    </>
  );
}

function PresetChoice() {
  const { data, drawingCopies } = draft.value;
  /** A preset is a network with its training. The data stay the same. */
  const withData = (preset: DigitsSettings) => ({ ...preset, data, drawingCopies });
  const shown = JSON.stringify(draft.value);
  const name = Object.keys(presets).find((preset) => JSON.stringify(withData(presets[preset]!)) === shown);
  return (
    <Select
      label="Preset (restarts the training)"
      testId="preset"
      options={[...(name === undefined ? [""] : []), ...Object.keys(presets)]}
      titles={{ "": "Custom" }}
      value={name ?? ""}
      onChange={(chosen) => {
        const preset = presets[chosen];
        if (preset) visit(() => choose(withData(preset)));
      }}
    />
  );
}

/** Offers MNIST if its files are beside the page. */
function DataChoice() {
  const { data } = draft.value;
  const hasMnist = device.value?.mnist === true;
  const options: (typeof data)[] = hasMnist ? [data === "digits" ? "auto" : data, "digits"] : [data];
  const titles = Object.fromEntries(
    options.map((name) => [name, hasMnist && name !== "digits" ? "MNIST" : "Built-in digits"]),
  );
  return (
    <Select
      label="Data"
      testId="data-choice"
      options={options}
      titles={titles}
      value={data}
      onChange={(name) => edit({ data: name })}
    />
  );
}

/** What is not allowed, and therefore has no effect. */
function Faults() {
  const faults = draftFaults.value;
  if (faults.length === 0) return null;
  return (
    <p class="fault" data-testid="draft-fault">
      {faults.join("; ")}.
    </p>
  );
}
