/*
 * The settings of the Digits tab.
 */
import { lossNames } from "../../../shared/names.ts";
import { BatchSize, LearningRate, Loss, Optimizer, Seed } from "../../../shared/controls.tsx";
import { NumberField, Select } from "../../../shared/fields.tsx";
import { AtOnce, Expert, Restarting, SettingsPanel } from "../../../shared/settings-panel.tsx";
import { visit } from "../../../shared/address/history.ts";
import { device } from "../../../link.ts";
import { show } from "../../../lessons/show.ts";
import { fields, presets, type DigitsSettings, type scheduleNames } from "../../settings.ts";
import { choose, discard, draft, draftFaults, edit, prepared, reset, restartPending } from "../../state/index.ts";
import { view } from "../views.tsx";
import { Layers } from "./layers.tsx";

const scheduleTitles = {
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
      <Restarting how="Restart the training, with Apply">
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
      <Pending />
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
    show(`tab-${name}`);
  };
  return (
    <>
      <Restarting how="Restart the training, with Apply">
        <Seed testId="seed" field={fields.seed} value={seed} onChange={(value) => edit({ seed: value })} />
        <Loss testId="loss" options={lossNames} value={loss} onChange={(name) => edit({ loss: name })} />
      </Restarting>
      <div class="row">
        <button type="button" data-testid="show-kernels" onClick={() => open("dispatches")}>
          Kernels of a step
        </button>
        <button type="button" data-testid="show-comparison" onClick={() => open("comparison")}>
          Compare GPU and CPU
        </button>
      </div>
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

/** A notice about changes that need a restart, or about settings that are not allowed. */
function Pending() {
  if (draftFaults.value.length > 0)
    return (
      <p class="fault" data-testid="draft-fault">
        {draftFaults.value.join("; ")}.
      </p>
    );
  if (!restartPending.value || !prepared.value) return null;
  return (
    <div class="notice" data-testid="restart-needed">
      <p>These changes need a restart with new weights.</p>
      <div class="row">
        <button type="button" class="primary" data-testid="apply" onClick={reset}>
          Apply and restart
        </button>
        <button type="button" onClick={discard}>
          Discard
        </button>
      </div>
    </div>
  );
}
