/*
 * The numbers of layers and units above the diagram, with buttons to change them.
 */
import { fallbacks } from "../../../shared/address/codec.ts";
import { layerFields, MOST_LAYERS, type HiddenLayer } from "../../settings.ts";
import { change, playgroundState } from "../../state/index.ts";
import type { Network, NetworkMode } from "./network.ts";

const setLayers = (mode: NetworkMode, layers: readonly HiddenLayer[]) => change(mode, { layers });

/** Adds a hidden layer like the last one, or removes the last one. */
export function LayersHead({ mode }: { mode: NetworkMode }) {
  const { layers } = playgroundState.value[mode];
  return (
    <div class="row playground-layers-head">
      <FewerMore
        of="hidden layer"
        testIds={["playground-remove-layer", "playground-add-layer"]}
        text={`${layers.length} hidden ${layers.length === 1 ? "layer" : "layers"}`}
        fewer={layers.length > 0 && (() => setLayers(mode, layers.slice(0, -1)))}
        more={
          layers.length < MOST_LAYERS && (() => setLayers(mode, [...layers, layers.at(-1) ?? fallbacks(layerFields)]))
        }
      />
    </div>
  );
}

/** Above each column of the diagram, the number of its units. */
export function LayerHeads({ network: { mode } }: { network: Network }) {
  const { layers } = playgroundState.value[mode];
  const { min, max } = layerFields.units;
  const withUnits = (index: number, units: number) => setLayers(mode, layers.with(index, { ...layers[index]!, units }));
  return (
    <div class="playground-heads">
      <div>Inputs</div>
      {layers.map(({ units }, index) => (
        <div key={index}>
          <FewerMore
            of={`unit of hidden layer ${index + 1}`}
            testIds={[`playground-layer-${index}-fewer`, `playground-layer-${index}-more`]}
            text={`${units} ${units === 1 ? "unit" : "units"}`}
            fewer={units > min && (() => withUnits(index, units - 1))}
            more={units < max && (() => withUnits(index, units + 1))}
          />
        </div>
      ))}
      <div>Output</div>
    </div>
  );
}

interface FewerMoreProps {
  /** What is added and removed. */
  readonly of: string;
  readonly testIds: readonly [fewer: string, more: string];
  readonly text: string;
  /** What the buttons do; false if there can be no fewer, or no more. */
  readonly fewer: false | (() => void);
  readonly more: false | (() => void);
}

function FewerMore({ of, testIds, text, fewer, more }: FewerMoreProps) {
  return (
    <>
      <Small testId={testIds[0]} label={`Remove a ${of}`} text="−" act={fewer} />
      <span>{text}</span>
      <Small testId={testIds[1]} label={`Add a ${of}`} text="+" act={more} />
    </>
  );
}

interface SmallProps {
  readonly testId: string;
  readonly label: string;
  readonly text: string;
  readonly act: false | (() => void);
}

const Small = ({ testId, label, text, act }: SmallProps) => (
  <button
    type="button"
    class="playground-small"
    data-testid={testId}
    aria-label={label}
    disabled={!act}
    onClick={() => act && act()}
  >
    {text}
  </button>
);
