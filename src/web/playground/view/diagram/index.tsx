/*
 * The network as a diagram: a picture of each unit, and edges with the color and width of their weights. Inputs are chosen
 * in it, units and layers are added and removed, and weights and biases are edited.
 */
import type { ParameterPlace } from "../../contract.ts";
import { Canvas } from "../canvas.tsx";
import { numberText } from "../text.ts";
import "./diagram.css";
import { drawEdges } from "./draw-diagram.ts";
import { ParameterEditor } from "./editor.tsx";
import { LayerHeads, LayersHead } from "./heads.tsx";
import { edgeAt, layoutOf, type Edge, type Layout } from "./layout.ts";
import {
  frameOf,
  inputCount,
  networkOf,
  ownerOf,
  parameterExists,
  parameterTitle,
  unitExists,
  unitName,
  valueAt,
  type Network,
  type NetworkMode,
  type UnitId,
} from "./network.ts";
import { edited, enlarged, pointedWeight } from "./pointed.ts";
import { Units } from "./units.tsx";

export function NetworkDiagram({ mode }: { mode: NetworkMode }) {
  const network = networkOf(mode);
  const layout = layoutOf(network);
  return (
    <figure class="playground-diagram">
      <LayersHead mode={mode} />
      <LayerHeads network={network} />
      <DiagramArea layout={layout} />
      <figcaption class="playground-note" data-testid="playground-unit">
        {caption(network)}
      </figcaption>
    </figure>
  );
}

/** The edges, with the units above them. */
function DiagramArea({ layout }: { layout: Layout }) {
  const { network, height, side } = layout;
  const { mode } = network;
  const isOnEdges = ({ target, currentTarget }: MouseEvent) =>
    target instanceof HTMLCanvasElement && target.parentElement === currentTarget;
  const edgeBelow = (event: MouseEvent): Edge | undefined => {
    const { target, clientX, clientY } = event;
    if (!isOnEdges(event)) return undefined;
    const box = (target as HTMLCanvasElement).getBoundingClientRect();
    return edgeAt(layout, (clientX - box.left) / box.width, clientY - box.top);
  };
  const onMove = (event: PointerEvent) => (pointedWeight.value = edgeBelow(event)?.place);
  const onClick = (event: MouseEvent) => {
    if (!isOnEdges(event)) return;
    const edge = edgeBelow(event);
    edited.value = edge && { mode, place: edge.place, takesFocus: true };
  };
  return (
    <div
      class={pointedWeight.value ? "playground-diagram-area pointed" : "playground-diagram-area"}
      style={{ height: `${height}px`, "--side": `${side}px` }}
      onPointerMove={onMove}
      onPointerLeave={() => (pointedWeight.value = undefined)}
      onClick={onClick}
    >
      <Canvas
        key={network.columns.join()}
        draw={(drawing) => drawEdges(drawing, layout, frameOf(mode))}
        height={height}
        testId="playground-edges"
      />
      <Units layout={layout} />
      <ParameterEditor layout={layout} />
    </div>
  );
}

/** What the visitor points at or edits: a unit with its weights, or a weight. */
function caption(network: Network): string {
  const weight = pointedWeight.value;
  const unit = enlarged.value ?? (edited.value?.mode === network.mode ? ownerOf(edited.value.place) : undefined);
  const valueText = (place: ParameterPlace) => numberText(valueAt(network, frameOf(network.mode), place) ?? NaN);
  if (weight && parameterExists(network, weight))
    return `${unitName(network, ownerOf(weight))}. ${parameterTitle(network, weight)}: ${valueText(weight)}`;
  if (!unit || !unitExists(network, unit))
    return "Blue is positive, orange negative. Point at a unit to enlarge it. Click an edge or a unit to change its weight or bias, and an input to use it or not.";
  const name = unitName(network, unit);
  if (unit.column === 0) return `${name} of each point. ${inputUse(network, unit)}`;
  const layer = unit.column - 1;
  const weights = Array.from({ length: inputCount(network, unit.column) }, (_, input) =>
    valueText({ layer, unit: unit.unit, input }),
  );
  return `${name}. Its weights: ${weights.join(", ")}. Its bias: ${valueText({ layer, unit: unit.unit })}`;
}

function inputUse({ inputs }: Network, { unit }: UnitId): string {
  if (!inputs.includes(unit)) return "The network does not use it. Click to add it.";
  return inputs.length > 1 ? "Click to remove it." : "A network needs at least one input.";
}
