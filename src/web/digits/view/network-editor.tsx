import { visit } from "../../shared/address/history.ts";
import { device } from "../../link.ts";
import { activations, type ActivationName, type LossName } from "../../../index.ts";
import { mostLayers, optimizerNames, presets, ranges, type HiddenLayer } from "../settings.ts";
import { choose, discard, draft, draftFaults, edit, prepared, reset, restartPending } from "../state/index.ts";
import { Choice, SettingField } from "./fields.tsx";

/** The layers and whatever else is fixed once the weights are drawn. */
export function NetworkEditor() {
  const { layers, loss, optimizer, seed } = draft.value;
  const change = (place: number, changes: Partial<HiddenLayer>) =>
    edit({ layers: layers.map((layer, index) => (index === place ? { ...layer, ...changes } : layer)) });
  const remove = (place: number) => edit({ layers: layers.filter((_, index) => index !== place) });
  const addLayer = () => edit({ layers: [...layers, layers.at(-1) ?? { units: 64, activation: "relu", dropout: 0 }] });
  return (
    <section class="card" aria-label="Network">
      <h2>Network</h2>
      <PresetChoice />
      <p class="quiet">784 inputs, one a pixel</p>
      <ol class="layers">
        {layers.map((layer, place) => (
          <li key={place}>
            <LayerFields layer={layer} place={place} change={(changes) => change(place, changes)} remove={() => remove(place)} />
          </li>
        ))}
      </ol>
      <div class="row spread">
        <span class="quiet">10 outputs, one a digit</span>
        <button type="button" data-testid="add-layer" disabled={layers.length >= mostLayers} onClick={addLayer}>
          Add layer
        </button>
      </div>
      <div class="fields">
        <Choice label="Loss" wide value={loss} options={lossTitles} choose={(name) => edit({ loss: name })} testId="loss" />
        <Choice label="Optimizer" value={optimizer} options={optimizerTitles} choose={(name) => edit({ optimizer: name })} testId="optimizer" />
        <SettingField label="Seed" value={seed} range={ranges.seed} step={1} change={(value) => edit({ seed: value })} testId="seed" />
        <DataChoice />
      </div>
      <Pending />
    </section>
  );
}

function PresetChoice() {
  const shown = JSON.stringify(draft.value);
  const name = Object.keys(presets).find((preset) => JSON.stringify({ ...presets[preset], data: draft.value.data }) === shown);
  return (
    <label class="field preset">
      Preset
      <select
        data-testid="preset"
        value={name ?? ""}
        onChange={({ currentTarget }) => {
          const preset = presets[currentTarget.value];
          if (preset) visit(() => choose({ ...preset, data: draft.value.data }));
        }}
      >
        {name === undefined && <option value="">own</option>}
        {Object.keys(presets).map((preset) => (
          <option key={preset}>{preset}</option>
        ))}
      </select>
    </label>
  );
}

const activationTitles = Object.fromEntries(Object.keys(activations).map((name) => [name, name])) as Record<ActivationName, string>;

const lossTitles: Record<LossName, string> = {
  softmaxCrossEntropy: "softmax cross-entropy",
  sigmoidBinaryCrossEntropy: "sigmoid cross-entropy",
  meanSquaredError: "mean squared error",
  halfSumOfSquares: "half sum of squares",
};

const titles = { sgd: "SGD", momentum: "momentum", nesterov: "Nesterov", rmsprop: "RMSprop", adam: "Adam", adamW: "AdamW" };
const optimizerTitles = Object.fromEntries(optimizerNames.map((name) => [name, titles[name]])) as typeof titles;

/** MNIST is offered where its files are. */
function DataChoice() {
  const { data } = draft.value;
  const builtIn = "built-in digits";
  const options: Readonly<Record<string, string>> = device.value?.mnist
    ? { [data === "digits" ? "auto" : data]: "MNIST", digits: builtIn }
    : { [data]: builtIn };
  return <Choice label="Data" wide value={data} options={options} choose={(name) => edit({ data: name as typeof data })} testId="data-choice" />;
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
      <SettingField label="Width" of={of} value={layer.units} range={ranges.units} step={1} change={(units) => change({ units })} testId={`width-${place}`} />
      <Choice label="Activation" of={of} value={layer.activation} options={activationTitles} choose={(activation) => change({ activation })} />
      <SettingField label="Dropout" of={of} value={layer.dropout} range={ranges.dropout} step={0.05} change={(dropout) => change({ dropout })} />
      <button type="button" class="plain" aria-label={`Remove layer ${place + 1}`} title="Remove this layer" onClick={remove}>
        ✕
      </button>
    </div>
  );
}

/** Says that changes wait, since they need the weights drawn anew. */
function Pending() {
  if (draftFaults.value.length > 0) return <p class="fault" data-testid="draft-fault">{draftFaults.value.join("; ")}.</p>;
  if (!restartPending.value || !prepared.value) return null;
  return (
    <div class="notice" data-testid="restart-needed">
      <p>These changes need a restart: the weights are drawn anew.</p>
      <div class="row">
        <button type="button" class="primary" data-testid="apply" onClick={reset}>
          Restart with them
        </button>
        <button type="button" onClick={discard}>
          Undo
        </button>
      </div>
    </div>
  );
}
