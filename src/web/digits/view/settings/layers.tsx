/*
 * The hidden layers of the Digits tab.
 */
import { fallbacks } from "../../../shared/address/codec.ts";
import { Activation, Units } from "../../../shared/controls.tsx";
import { Slider } from "../../../shared/fields.tsx";
import { layerFields, MOST_LAYERS, type HiddenLayer } from "../../settings.ts";
import { draft, edit } from "../../state/index.ts";

export function Layers() {
  const { layers } = draft.value;
  const change = (place: number, changes: Partial<HiddenLayer>) =>
    edit({ layers: layers.map((layer, index) => (index === place ? { ...layer, ...changes } : layer)) });
  const remove = (place: number) => edit({ layers: layers.filter((_, index) => index !== place) });
  const addLayer = () => edit({ layers: [...layers, layers.at(-1) ?? fallbacks(layerFields)] });
  return (
    <div class="wide">
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
    </div>
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
      <Units
        name={`Units ${of}`}
        testId={`width-${place}`}
        field={layerFields.units}
        value={layer.units}
        onChange={(units) => change({ units })}
      />
      <Activation
        name={`Activation ${of}`}
        testId={`activation-${place}`}
        options={layerFields.activation.values}
        value={layer.activation}
        onChange={(activation) => change({ activation })}
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
      <Slider
        label="Dropout"
        name={`Dropout ${of}`}
        testId={`dropout-${place}`}
        field={layerFields.dropout}
        value={layer.dropout}
        onChange={(dropout) => change({ dropout })}
      />
    </div>
  );
}
