import { visit } from "../../shared/address/history.ts";
import { device } from "../../link.ts";
import type { LossName } from "../../../index.ts";
import { fallbacks } from "../../shared/address/codec.ts";
import { NumberField, Select } from "../../shared/fields.tsx";
import {
  fields,
  layerFields,
  MOST_LAYERS,
  presets,
  type DigitsSettings,
  type HiddenLayer,
  type optimizerNames,
} from "../settings.ts";
import { choose, discard, draft, draftFaults, edit, prepared, reset, restartPending } from "../state/index.ts";

/** The layers and the other settings that need a restart. */
export function NetworkEditor() {
  const { layers, loss, optimizer, seed } = draft.value;
  const change = (place: number, changes: Partial<HiddenLayer>) =>
    edit({ layers: layers.map((layer, index) => (index === place ? { ...layer, ...changes } : layer)) });
  const remove = (place: number) => edit({ layers: layers.filter((_, index) => index !== place) });
  const addLayer = () => edit({ layers: [...layers, layers.at(-1) ?? fallbacks(layerFields)] });
  return (
    <section class="card" aria-label="Network">
      <h2>Network</h2>
      <PresetChoice />
      <p class="quiet">784 inputs, one per pixel</p>
      <ol class="layers">
        {layers.map((layer, place) => (
          <li key={place}>
            <LayerFields
              layer={layer}
              place={place}
              change={(changes) => change(place, changes)}
              remove={() => remove(place)}
            />
          </li>
        ))}
      </ol>
      <div class="row spread">
        <span class="quiet">10 outputs, one per digit</span>
        <button type="button" data-testid="add-layer" disabled={layers.length >= MOST_LAYERS} onClick={addLayer}>
          Add layer
        </button>
      </div>
      <div class="fields">
        <Select
          label="Loss"
          layout="wide"
          testId="loss"
          options={lossOptions}
          titles={lossTitles}
          value={loss}
          onChange={(name) => edit({ loss: name })}
        />
        <Select
          label="Optimizer"
          testId="optimizer"
          options={fields.optimizer.values}
          titles={optimizerTitles}
          value={optimizer}
          onChange={(name) => edit({ optimizer: name })}
        />
        <NumberField
          label="Seed"
          testId="seed"
          field={fields.seed}
          value={seed}
          onChange={(value) => edit({ seed: value })}
        />
        <DataChoice />
      </div>
      <Pending />
    </section>
  );
}

function PresetChoice() {
  const { data, drawingCopies } = draft.value;
  /** A preset is a network with its training. The data stay the same. */
  const withData = (preset: DigitsSettings) => ({ ...preset, data, drawingCopies });
  const shown = JSON.stringify(draft.value);
  const name = Object.keys(presets).find((preset) => JSON.stringify(withData(presets[preset]!)) === shown);
  return (
    <div class="preset">
      <Select
        label="Preset"
        testId="preset"
        options={[...(name === undefined ? [""] : []), ...Object.keys(presets)]}
        titles={{ "": "Custom" }}
        value={name ?? ""}
        onChange={(chosen) => {
          const preset = presets[chosen];
          if (preset) visit(() => choose(withData(preset)));
        }}
      />
    </div>
  );
}

const lossTitles: Record<LossName, string> = {
  softmaxCrossEntropy: "softmax cross-entropy",
  sigmoidBinaryCrossEntropy: "binary cross-entropy",
  meanSquaredError: "mean squared error",
  halfSumOfSquares: "half sum of squares",
};

const lossOptions = Object.keys(lossTitles) as LossName[];

const optimizerTitles: Record<(typeof optimizerNames)[number], string> = {
  sgd: "SGD",
  momentum: "momentum",
  nesterov: "Nesterov",
  rmsprop: "RMSprop",
  adam: "Adam",
  adamW: "AdamW",
};

/** Offers MNIST if its files are beside the page. */
function DataChoice() {
  const { data } = draft.value;
  const hasMnist = device.value?.mnist === true;
  const options: (typeof data)[] = hasMnist ? [data === "digits" ? "auto" : data, "digits"] : [data];
  const titles = Object.fromEntries(
    options.map((name) => [name, hasMnist && name !== "digits" ? "MNIST" : "built-in digits"]),
  );
  return (
    <Select
      label="Data"
      layout="wide"
      testId="data-choice"
      options={options}
      titles={titles}
      value={data}
      onChange={(name) => edit({ data: name })}
    />
  );
}

function LayerFields(props: {
  layer: HiddenLayer;
  place: number;
  change: (changes: Partial<HiddenLayer>) => void;
  remove: () => void;
}) {
  const { layer, place, change, remove } = props;
  const of = `of layer ${place + 1}`;
  return (
    <div class="layer">
      <NumberField
        label="Units"
        name={`Units ${of}`}
        testId={`width-${place}`}
        field={layerFields.units}
        value={layer.units}
        onChange={(units) => change({ units })}
      />
      <Select
        label="Activation"
        name={`Activation ${of}`}
        options={layerFields.activation.values}
        value={layer.activation}
        onChange={(activation) => change({ activation })}
      />
      <NumberField
        label="Dropout"
        name={`Dropout ${of}`}
        field={layerFields.dropout}
        value={layer.dropout}
        onChange={(dropout) => change({ dropout })}
      />
      <button
        type="button"
        class="plain"
        aria-label={`Remove layer ${place + 1}`}
        title="Remove this layer"
        onClick={remove}
      >
        ✕
      </button>
    </div>
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
