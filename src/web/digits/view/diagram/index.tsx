/*
 * The network, drawn: the input image, units of each layer, and the edges between them, lit by the drawing.
 */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { scheme } from "../../../shared/colors.ts";
import type { WeightsEvent } from "../../contract.ts";
import { prediction, weights } from "../../state/index.ts";
import { picture } from "../pad-canvas.tsx";
import { drawDiagram } from "./draw.ts";
import { pixelEdges, unitEdges, type Edge } from "./edges.ts";
import { layoutOf, type DiagramLayout } from "./layout.ts";
import { chosen, initial, inspected, isDrawn, pointed, unitName, type UnitId } from "./selection.ts";

export function Diagram() {
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSignal({ width: 480, height: 340 });
  useLayoutEffect(() => {
    const measure = () => {
      const { clientWidth: width, clientHeight: height } = host.current!;
      if (width !== size.value.width || height !== size.value.height) size.value = { width, height };
    };
    const observer = new ResizeObserver(measure);
    observer.observe(host.current!);
    return () => observer.disconnect();
  }, []);
  const layout = useComputed(() =>
    layoutOf(size.value.width, size.value.height, weights.value?.layers.map(({ units }) => units.length) ?? []),
  ).value;
  // Effects run later, when the signals may be those of another network, which does not fit the layout.
  const now = weights.value;
  const ink = picture.value;
  const outputs = outputsByLayer(now);
  useEffect(() => {
    const values = outputs[0];
    if (isDrawn(initial.value) || !now || !values) return;
    const units = [...now.layers[0]!.units];
    initial.value = { layer: 0, unit: units.reduce((best, unit) => (values[unit]! > values[best]! ? unit : best)) };
  }, [outputs]);
  useEffect(() => {
    const edges = edgesOf(now, ink, outputs, layout);
    drawDiagram(canvas.current!, size.value, layout, ink, edges);
  }, [now, prediction.value, ink, layout, scheme.value]);
  return (
    <figure class="diagram">
      <div class="diagram-canvas" ref={host} onPointerLeave={() => (pointed.value = undefined)}>
        <canvas ref={canvas} role="img" aria-label="The network: its input, units and weights" />
        {now && <Units now={now} layout={layout} outputs={outputs} />}
      </div>
      <figcaption class="quiet">
        <p>
          <span class="high">Blue</span> adds to a unit, <span class="low">orange</span> subtracts from it.{" "}
          <span class="unit-hint">Point at a unit, or tap it, to look into it.</span>
        </p>
        <p data-testid="hidden">{captionOf(now)}</p>
      </figcaption>
    </figure>
  );
}

/** The outputs of the units of each layer for the drawing; undefined for a layer without any. */
function outputsByLayer(now: WeightsEvent | undefined): readonly (Float32Array | undefined)[] {
  const found = prediction.value;
  if (!now || !found) return [];
  const all = [...found.hidden, found.probabilities];
  return now.layers.map(({ count }, layer) => (all[layer]?.length === count ? all[layer] : undefined));
}

function edgesOf(
  now: WeightsEvent | undefined,
  ink: Uint8Array | undefined,
  outputs: readonly (Float32Array | undefined)[],
  layout: DiagramLayout,
): Edge[] {
  if (!now || !ink) return [];
  const { layers } = now;
  const between = layers.slice(1).flatMap((next, index) => {
    const values = outputs[index];
    return values ? unitEdges(layers[index]!, next, values, layout.units[index]!, layout.units[index + 1]!) : [];
  });
  return [...pixelEdges(now, ink, layout), ...between];
}

function captionOf(now: WeightsEvent | undefined): string {
  const hidden = prediction.value?.hidden ?? [];
  const states = hidden.map((values, layer) => {
    const active = values.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0);
    return `Hidden layer ${layer + 1}: ${active} of ${values.length} outputs are positive`;
  });
  const some = now?.layers.some(({ count, units }) => count > units.length);
  const drawn = some ? [`${now!.layers[0]!.units.length} with the most influence are drawn`] : [];
  return [...states, ...drawn].map((sentence) => `${sentence}.`).join(" ");
}

interface UnitsProps {
  readonly now: WeightsEvent;
  readonly layout: DiagramLayout;
  readonly outputs: readonly (Float32Array | undefined)[];
}

/** The units as buttons: the Tab key stops once, and the arrow keys move between units and layers. */
function Units({ now, layout, outputs }: UnitsProps) {
  const { layers } = now;
  const { layer: at, unit: current } = inspected.value!;
  const place = Math.max(0, layers[at]!.units.indexOf(current));
  const move = (event: KeyboardEvent) => {
    const [across, down] =
      { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key] ?? [];
    const next = layers[at + (across ?? 0)];
    if (across === undefined || !next) return;
    event.preventDefault();
    const unit = next.units[Math.min(next.units.length - 1, Math.max(0, place + down!))]!;
    pointed.value = undefined;
    chosen.value = { layer: at + across, unit };
    document.getElementById(idOf(chosen.value))?.focus();
  };
  return (
    <div role="group" aria-label="Units of the network" onKeyDown={move} data-testid="units">
      {layers.map(({ units }, layer) => {
        const values = outputs[layer];
        const largest = values ? values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9) : 1;
        return [...units].map((unit, index) => (
          <Unit
            key={`${layer}/${unit}`}
            id={{ layer, unit }}
            name={unitName({ layer, unit }, layers.length)}
            isOutput={layer === layers.length - 1}
            isInspected={layer === at && unit === current}
            tabIndex={layer === at && index === place ? 0 : -1}
            at={layout.units[layer]?.[index] ?? { x: 0, y: 0 }}
            share={(values?.[unit] ?? 0) / largest}
          />
        ));
      })}
    </div>
  );
}

const idOf = ({ layer, unit }: UnitId) => `unit-${layer}-${unit}`;

function Unit(props: {
  id: UnitId;
  name: string;
  isOutput: boolean;
  isInspected: boolean;
  tabIndex: number;
  at: { readonly x: number; readonly y: number };
  share: number;
}) {
  const { id, name, isOutput, isInspected, tabIndex, at, share } = props;
  return (
    <button
      type="button"
      id={idOf(id)}
      class={`unit${isInspected ? " inspected" : ""}${isOutput ? " output" : ""}`}
      tabIndex={tabIndex}
      aria-label={name}
      aria-pressed={isInspected}
      style={{
        left: `${at.x}px`,
        top: `${at.y}px`,
        "--share": `${Math.round(70 * Math.abs(share))}%`,
        "--color": share < 0 ? "var(--accent-2)" : "var(--accent)",
      }}
      onPointerEnter={({ pointerType }) => {
        if (pointerType === "mouse") pointed.value = id;
      }}
      onClick={() => (chosen.value = id)}
    >
      <span>{isOutput ? id.unit : ""}</span>
    </button>
  );
}
