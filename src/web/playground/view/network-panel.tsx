/*
 * The settings of the model and its training: what takes effect at once, and what restarts the training.
 */
import { Activation, BatchSize, LearningRate, Optimizer } from "../../shared/controls.tsx";
import { NumberField, Select, Slider } from "../../shared/fields.tsx";
import { AtOnce, Restarting } from "../../shared/settings-panel.tsx";
import { NetworkDiagram } from "./diagram/index.tsx";
import type { NetworkMode } from "./diagram/network.ts";
import { classifyFields, layerFields, neuronFields, surfaceFields, type HiddenLayer, type Mode } from "../settings.ts";
import { change, frame, playgroundState } from "../state/index.ts";
import { numberText } from "./text.ts";

const hasLayers = (mode: Mode): mode is NetworkMode => mode === "classify" || mode === "regress";

export function NetworkPanel() {
  const { mode } = playgroundState.value;
  const titles = { classify: "Network", regress: "Network", neuron: "Neuron", surface: "Gradient descent" };
  return (
    <section class="card playground-network" aria-labelledby="playground-network-title">
      <h2 id="playground-network-title">{titles[mode]}</h2>
      {hasLayers(mode) && <NetworkDiagram mode={mode} />}
      {mode === "neuron" && <NeuronNumbers />}
      {mode === "surface" && <SurfaceNumbers />}
      <AtOnce>
        <Training mode={mode} />
      </AtOnce>
      {mode !== "neuron" && (
        <Restarting>
          <OptimizerChoice mode={mode} />
          {hasLayers(mode) && <Layers mode={mode} />}
        </Restarting>
      )}
    </section>
  );
}

function Layers({ mode }: { mode: NetworkMode }) {
  const { layers } = playgroundState.value[mode];
  const setLayers = (next: readonly HiddenLayer[]) => change(mode, { layers: next });
  return (
    <div class="wide playground-layers">
      {layers.map((layer, index) => (
        <LayerRow
          key={index}
          index={index}
          layer={layer}
          onChange={(next) => setLayers(layers.with(index, next))}
          onRemove={() => setLayers(layers.toSpliced(index, 1))}
        />
      ))}
    </div>
  );
}

interface LayerRowProps {
  readonly index: number;
  readonly layer: HiddenLayer;
  readonly onChange: (layer: HiddenLayer) => void;
  readonly onRemove: () => void;
}

function LayerRow({ index, layer, onChange, onRemove }: LayerRowProps) {
  const testId = `playground-layer-${index}`;
  return (
    <fieldset class="playground-layer">
      <legend>Hidden layer {index + 1}</legend>
      <div class="row">
        <NumberField
          label="Units"
          testId={`${testId}-units`}
          field={layerFields.units}
          value={layer.units}
          onChange={(units) => onChange({ ...layer, units })}
        />
        <Activation
          testId={`${testId}-activation`}
          options={layerFields.activation.values}
          value={layer.activation}
          onChange={(activation) => onChange({ ...layer, activation })}
        />
        <button
          type="button"
          data-testid={`${testId}-remove`}
          aria-label={`Remove hidden layer ${index + 1}`}
          onClick={onRemove}
        >
          ✕
        </button>
      </div>
    </fieldset>
  );
}

function NeuronNumbers() {
  const parameters = frame.value?.mode === "neuron" ? frame.value.parameters : [NaN, NaN, NaN];
  const [w1, w2, b] = Array.from(parameters, numberText);
  return (
    <>
      <p class="playground-formula">w₁·x + w₂·y + b &gt; 0 ?</p>
      <dl class="numbers" data-testid="playground-weights">
        <dt>w₁</dt>
        <dd>{w1}</dd>
        <dt>w₂</dt>
        <dd>{w2}</dd>
        <dt>b</dt>
        <dd>{b}</dd>
      </dl>
    </>
  );
}

function SurfaceNumbers() {
  const [first, second] = frame.value?.mode === "surface" ? frame.value.parameters : [NaN, NaN];
  const isNeuron = ["logistic", "squared"].includes(playgroundState.value.surface.model);
  const [a, b] = isNeuron ? ["w", "b"] : ["a", "b"];
  return (
    <dl class="numbers" data-testid="playground-weights">
      <dt>{a}</dt>
      <dd>{numberText(first!)}</dd>
      <dt>{b}</dt>
      <dd>{numberText(second!)}</dd>
    </dl>
  );
}

const ruleTitles = { perceptron: "Perceptron", logistic: "Logistic neuron" };

const NeuronRule = () => (
  <Select
    label="Rule"
    testId="playground-rule"
    options={neuronFields.rule.values}
    titles={ruleTitles}
    value={playgroundState.value.neuron.rule}
    onChange={(rule) => change("neuron", { rule })}
  />
);

/** The settings of the training with which it continues. */
function Training({ mode }: { mode: Mode }) {
  const state = playgroundState.value;
  return (
    <>
      {mode === "neuron" && <NeuronRule />}
      <LearningRate
        testId="playground-learning-rate"
        field={classifyFields.learningRate}
        value={state[mode].learningRate}
        onChange={(learningRate) => change(mode, { learningRate })}
      />
      {mode !== "surface" && (
        <BatchSize
          testId="playground-batch"
          field={classifyFields.batch}
          value={state[mode].batch}
          onChange={(batch) => change(mode, { batch })}
        />
      )}
      {mode !== "neuron" && <OptimizerFields mode={mode} />}
      {hasLayers(mode) && <Regularization mode={mode} />}
    </>
  );
}

const regularizationTitles = { none: "None", l1: "L1", l2: "L2" };

function Regularization({ mode }: { mode: NetworkMode }) {
  const { regularization, regularizationRate } = playgroundState.value[mode];
  return (
    <>
      <Select
        label="Regularization"
        testId="playground-regularization"
        options={classifyFields.regularization.values}
        titles={regularizationTitles}
        value={regularization}
        onChange={(next) => change(mode, { regularization: next })}
      />
      {regularization !== "none" && (
        <Select
          label="Regularization rate"
          testId="playground-regularization-rate"
          options={classifyFields.regularizationRate.values}
          value={regularizationRate}
          onChange={(next) => change(mode, { regularizationRate: next })}
        />
      )}
    </>
  );
}

function OptimizerChoice({ mode }: { mode: Exclude<Mode, "neuron"> }) {
  const { surface, classify, regress } = playgroundState.value;
  const testId = "playground-optimizer";
  return mode === "surface" ? (
    <Optimizer
      testId={testId}
      options={surfaceFields.optimizer.values}
      value={surface.optimizer}
      onChange={(optimizer) => change(mode, { optimizer })}
    />
  ) : (
    <Optimizer
      testId={testId}
      options={classifyFields.optimizer.values}
      value={{ classify, regress }[mode].optimizer}
      onChange={(optimizer) => change(mode, { optimizer })}
    />
  );
}

/** The options of the chosen optimizer. */
function OptimizerFields({ mode }: { mode: Exclude<Mode, "neuron"> }) {
  const { surface, classify, regress } = playgroundState.value;
  const { optimizer, momentum } = { surface, classify, regress }[mode];
  return (
    <>
      {(optimizer === "momentum" || optimizer === "nesterov") && (
        <Slider
          label="Momentum"
          testId="playground-momentum"
          field={classifyFields.momentum}
          value={momentum}
          onChange={(next) => change(mode, { momentum: next })}
        />
      )}
      {mode !== "surface" && optimizer === "adamW" && (
        <Select
          label="Weight decay"
          testId="playground-weight-decay"
          options={classifyFields.weightDecay.values}
          value={playgroundState.value[mode].weightDecay}
          onChange={(weightDecay) => change(mode, { weightDecay })}
        />
      )}
    </>
  );
}
