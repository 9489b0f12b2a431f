/*
 * The network as a diagram: a picture of each unit, and edges with the color and width of their weights.
 */
import { signal } from "@preact/signals";
import { EXTENT } from "../settings.ts";
import { CURVE_POINTS, PLANE_SIDE, type Frame } from "../contract.ts";
import { playgroundState, unitsFrame } from "../state/index.ts";
import { Canvas } from "./canvas.tsx";
import "./diagram.css";
import { drawBackground, drawUnit, type Drawing } from "./draw.ts";
import { css } from "./palette.ts";
import { numberText } from "./text.ts";

export type NetworkMode = "classify" | "regress";

/** A unit of a column: 0 for the inputs, then the hidden layers, and the output last. */
interface UnitId {
  readonly column: number;
  readonly unit: number;
}

/** The side of a unit's picture and the space below it, in pixels. */
const UNIT = { side: 42, gap: 8 };
/** The same if a layer has more than eight units. */
const SMALL_UNIT = { side: 32, gap: 4 };

/** The unit that the visitor points at or has focused. The large picture shows it. */
const enlarged = signal<UnitId | undefined>(undefined);

/** The unit where the Tab key stops. */
const stop = signal<UnitId>({ column: 1, unit: 0 });

/** The number of units of each column. */
function columnsOf(mode: NetworkMode): number[] {
  const { layers } = playgroundState.value[mode];
  return [mode === "classify" ? 2 : 1, ...layers.map(({ units }) => units), 1];
}

const exists = ({ column, unit }: UnitId, columns: readonly number[]) => unit < (columns[column] ?? 0);

function nameOf({ column, unit }: UnitId, columns: readonly number[]): string {
  if (column === 0) return `Input ${"xy"[unit]}`;
  return column === columns.length - 1 ? "Output" : `Unit ${unit + 1} of hidden layer ${column}`;
}

/** The name of the unit that the large picture shows; undefined if it shows the output. */
export function enlargedName(mode: NetworkMode): string | undefined {
  const id = enlarged.value;
  const columns = columnsOf(mode);
  return id && id.column < columns.length - 1 && exists(id, columns) ? nameOf(id, columns) : undefined;
}

/** Draws the unit that the visitor points at. */
export function drawEnlarged(drawing: Drawing, mode: NetworkMode): void {
  drawUnitOf(drawing, mode, enlarged.value!);
}

/** The values of an input at the points of the view: its own coordinate. */
function inputValues(mode: NetworkMode, unit: number): Float32Array {
  const along = (position: number, count: number) => EXTENT * ((2 * position) / (count - 1) - 1);
  if (mode === "regress") return Float32Array.from({ length: CURVE_POINTS }, (_, index) => along(index, CURVE_POINTS));
  return Float32Array.from({ length: PLANE_SIDE ** 2 }, (_, index) =>
    along(unit === 0 ? index % PLANE_SIDE : Math.floor(index / PLANE_SIDE), PLANE_SIDE),
  );
}

const frameOf = (mode: NetworkMode): Frame | undefined =>
  unitsFrame.value?.mode === mode ? unitsFrame.value : undefined;

function drawUnitOf(drawing: Drawing, mode: NetworkMode, { column, unit }: UnitId): void {
  if (column === 0) return drawUnit(drawing, inputValues(mode, unit));
  const current = frameOf(mode);
  const hidden = current?.hidden[column - 1];
  if (current && column === current.hidden.length + 1)
    // A probability becomes a value from −1 to 1.
    return drawUnit(drawing, mode === "classify" ? current.outputs.map((value) => 2 * value - 1) : current.outputs);
  if (!hidden || unit >= hidden.units) return drawBackground(drawing);
  const count = hidden.values.length / hidden.units;
  drawUnit(drawing, hidden.values.subarray(unit * count, (unit + 1) * count));
}

/**
 * The weight of an edge to a unit of the next column; undefined before the first frame and after a change of the layers.
 * With two outputs, the probability of class 1 depends on their difference, which is also that of the weights.
 */
function weightOf(
  current: Frame | undefined,
  columns: readonly number[],
  from: UnitId,
  unit: number,
): number | undefined {
  const matrix = current?.weights[from.column];
  const [inputs, units] = [columns[from.column]!, columns[from.column + 1]!];
  if (!matrix) return undefined;
  const isPair = from.column === columns.length - 2 && matrix.length === 2 * inputs;
  if (isPair) return matrix[2 * from.unit + 1]! - matrix[2 * from.unit]!;
  return matrix.length === inputs * units ? matrix[from.unit * units + unit] : undefined;
}

interface Layout {
  readonly columns: readonly number[];
  /** The side of a unit's picture. */
  readonly side: number;
  /** The distance of two units. */
  readonly row: number;
  readonly height: number;
}

function layoutOf(columns: readonly number[]): Layout {
  const most = Math.max(3, ...columns);
  const { side, gap } = most > 8 ? SMALL_UNIT : UNIT;
  return { columns, side, row: side + gap, height: most * (side + gap) };
}

const shareAcross = ({ columns }: Layout, column: number) => (column + 0.5) / columns.length;
const downOf = ({ columns, row, height }: Layout, { column, unit }: UnitId) =>
  height / 2 + (unit - (columns[column]! - 1) / 2) * row;

/** Orange for a positive weight and blue for a negative one, as the values of units. */
function drawEdges({ context, size, palette }: Drawing, layout: Layout, current: Frame | undefined): void {
  const { columns, height } = layout;
  context.clearRect(0, 0, size, height);
  columns.slice(1).forEach((units, column) => {
    for (let from = 0; from < columns[column]!; from++) {
      for (let to = 0; to < units; to++) {
        const weight = weightOf(current, columns, { column, unit: from }, to);
        if (weight === undefined) continue;
        context.strokeStyle = css(weight > 0 ? palette.orange : palette.blue, 0.75);
        context.lineWidth = Math.min(9, 0.4 + 2.2 * Math.abs(weight));
        const [startX, endX] = [size * shareAcross(layout, column), size * shareAcross(layout, column + 1)];
        const [startY, endY] = [
          downOf(layout, { column, unit: from }),
          downOf(layout, { column: column + 1, unit: to }),
        ];
        const middle = (startX + endX) / 2;
        context.beginPath();
        context.moveTo(startX, startY);
        context.bezierCurveTo(middle, startY, middle, endY, endX, endY);
        context.stroke();
      }
    }
  });
}

export function NetworkDiagram({ mode }: { mode: NetworkMode }) {
  const columns = columnsOf(mode);
  const layout = layoutOf(columns);
  return (
    <figure class="playground-diagram">
      <div class="playground-diagram-area" style={{ height: `${layout.height}px`, "--side": `${layout.side}px` }}>
        <Canvas
          key={columns.join()}
          draw={(drawing) => drawEdges(drawing, layout, frameOf(mode))}
          height={layout.height}
          testId="playground-edges"
        />
        <Units mode={mode} layout={layout} />
      </div>
      <figcaption class="playground-note" data-testid="playground-unit">
        {caption(mode, columns)}
      </figcaption>
    </figure>
  );
}

/** The weights of the unit that the visitor points at. */
function caption(mode: NetworkMode, columns: readonly number[]): string {
  const id = enlarged.value;
  if (!id || !exists(id, columns))
    return "Orange edges have positive weights, blue ones negative. Point at a unit to enlarge it.";
  const { column, unit } = id;
  if (column === 0) return `${nameOf(id, columns)} of a point.`;
  const current = frameOf(mode);
  const weights = Array.from({ length: columns[column - 1]! }, (_, from) =>
    weightOf(current, columns, { column: column - 1, unit: from }, unit),
  );
  const texts = weights.map((weight) => (weight === undefined ? "–" : numberText(weight)));
  return `${nameOf(id, columns)}. Its weights: ${texts.join(", ")}`;
}

/** The units as buttons: the Tab key stops once, and the arrow keys move between units and layers. */
function Units({ mode, layout }: { mode: NetworkMode; layout: Layout }) {
  const { columns } = layout;
  const at = exists(stop.value, columns) ? stop.value : { column: 0, unit: 0 };
  const move = (event: KeyboardEvent) => {
    const by = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    const count = columns[at.column + (by?.[0] ?? 0)];
    if (!by || count === undefined) return;
    event.preventDefault();
    const unit = Math.min(count - 1, Math.max(0, at.unit + by[1]!));
    stop.value = { column: at.column + by[0]!, unit };
    document.getElementById(`playground-unit-${stop.value.column}-${unit}`)?.focus();
  };
  return (
    <div role="group" aria-label="Units of the network" onKeyDown={move}>
      {columns.map((count, column) =>
        Array.from({ length: count }, (_, unit) => {
          const id = { column, unit };
          return (
            <button
              key={`${column}/${unit}`}
              type="button"
              id={`playground-unit-${column}-${unit}`}
              data-testid={`playground-unit-${column}-${unit}`}
              aria-label={nameOf(id, columns)}
              tabIndex={column === at.column && unit === at.unit ? 0 : -1}
              style={{ left: `${100 * shareAcross(layout, column)}%`, top: `${downOf(layout, id)}px` }}
              onPointerEnter={() => (enlarged.value = id)}
              onPointerLeave={() => (enlarged.value = undefined)}
              onFocus={() => (enlarged.value = stop.value = id)}
              onBlur={() => (enlarged.value = undefined)}
              // Not every browser focuses a button that is tapped.
              onClick={() => (enlarged.value = id)}
            >
              <Canvas draw={(drawing) => drawUnitOf(drawing, mode, id)} />
            </button>
          );
        }),
      )}
    </div>
  );
}
