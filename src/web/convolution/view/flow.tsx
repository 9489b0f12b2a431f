/*
 * The way of the picture through the network: filters, feature maps, pooling, and the ten outputs of both networks.
 */
import { patchArea, PICTURE_SIDE, receptiveField, stages, valueAt, type Area, type Pixel } from "../stages.ts";
import { frame, pixel } from "../state/index.ts";
import { FilterPicture } from "./filters.tsx";
import { SmallPicture } from "./picture.tsx";
import { evenPercent } from "../../shared/format.ts";

/** The picture as the networks see it, with the part that the chosen pixel depends on. */
export function NetworkInput() {
  return (
    <SmallPicture
      class="convolution-input"
      testId="convolution-input"
      side={PICTURE_SIDE}
      colors="ink"
      label="The input of both networks, 28×28 pixels, with the receptive field of the chosen pixel"
      values={() => {
        const picture = frame.value?.picture;
        return picture && { side: PICTURE_SIDE, at: (index) => picture[index]! / 255 };
      }}
      outlines={() => [receptiveField(pixel.value)]}
    />
  );
}

/** What a stage is called, and what it does. */
export const stageTexts = [
  { title: "8 maps", size: "24×24", name: "first convolution" },
  { title: "Pooling", size: "12×12", name: "first pooling" },
  { title: "16 maps", size: "8×8", name: "second convolution" },
  { title: "Pooling", size: "4×4", name: "second pooling" },
] as const;

export function Flow() {
  return (
    <section class="card convolution-flow" aria-label="The network">
      <Filters />
      {stages.map((_, stage) => (
        <StageMaps key={stage} stage={stage} />
      ))}
      <Outputs />
    </section>
  );
}

function Heading({ title, size }: { title: string; size: string }) {
  return (
    <h3>
      {title} <span class="quiet">{size}</span>
    </h3>
  );
}

function Filters() {
  const { stage, map } = pixel.value;
  return (
    <div class="convolution-stage convolution-filters">
      <Heading title="8 filters" size="5×5" />
      <div class="convolution-maps">
        {Array.from({ length: stages[0]!.maps }, (_, filter) => (
          <FilterPicture
            key={filter}
            filter={filter}
            weights={() => frame.value?.filters[0]!.weights}
            class={stage < 2 && map === filter ? "chosen" : ""}
          />
        ))}
      </div>
    </div>
  );
}

/** The areas of a feature map to outline: the chosen pixel, or the patch that it is computed from. */
function outlinesIn(stage: number, map: number): Area[] {
  const chosen = pixel.value;
  if (chosen.stage === stage) return chosen.map === map ? [{ row: chosen.row, column: chosen.column, side: 1 }] : [];
  const isInput = chosen.stage === stage + 1 && (stages[chosen.stage]!.kind === "convolution" || chosen.map === map);
  return isInput ? [patchArea(chosen)] : [];
}

/** The largest value of a stage's feature maps, which is drawn in the full color. */
function largestOf(values: Float32Array): number {
  let largest = 1e-9;
  for (const value of values) if (value > largest) largest = value;
  return largest;
}

function StageMaps({ stage }: { stage: number }) {
  const { maps, side } = stages[stage]!;
  const { title, size, name } = stageTexts[stage]!;
  const point = (event: PointerEvent) => {
    const picture = (event.target as Element).closest<HTMLElement>("[data-map]");
    if (!picture) return;
    const { left, top, width, height } = picture.getBoundingClientRect();
    choose({
      stage,
      map: Number(picture.dataset["map"]),
      row: Math.floor(((event.clientY - top) / height) * side),
      column: Math.floor(((event.clientX - left) / width) * side),
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = moves[event.key];
    if (!by) return;
    event.preventDefault();
    const from = pixel.value.stage === stage ? pixel.value : { stage, map: 0, row: 0, column: 0 };
    const [row, column, map] = by;
    choose({
      stage,
      row: from.row + row,
      column: from.column + column,
      map: (from.map + map + maps) % maps,
    });
  };
  return (
    <div class={`convolution-stage convolution-stage-${stage}`}>
      <Heading title={title} size={size} />
      <div
        class="convolution-maps"
        role="application"
        tabIndex={0}
        data-testid={`convolution-maps-${stage}`}
        aria-label={`Feature maps of the ${name}. The arrow keys choose a pixel, Page Up and Page Down a map.`}
        onPointerDown={point}
        onPointerMove={(event) => event.pointerType === "mouse" && point(event)}
        onKeyDown={onKeyDown}
      >
        {Array.from({ length: maps }, (_, map) => (
          <SmallPicture
            key={map}
            side={side}
            colors="signed"
            values={() => {
              const values = frame.value?.maps[stage];
              if (!values) return undefined;
              const largest = largestOf(values);
              return { side, at: (index) => values[index * maps + map]! / largest };
            }}
            outlines={() => outlinesIn(stage, map)}
            map={map}
          />
        ))}
      </div>
    </div>
  );
}

/** The change of row, column and map by each key. */
const moves: Readonly<Record<string, readonly [row: number, column: number, map: number]>> = {
  ArrowUp: [-1, 0, 0],
  ArrowDown: [1, 0, 0],
  ArrowLeft: [0, -1, 0],
  ArrowRight: [0, 1, 0],
  PageUp: [0, 0, -1],
  PageDown: [0, 0, 1],
};

/** Chooses the nearest pixel that exists. */
function choose({ stage, map, row, column }: Pixel): void {
  const within = (value: number) => Math.min(stages[stage]!.side - 1, Math.max(0, value));
  const next = { stage, map, row: within(row), column: within(column) };
  const before = pixel.value;
  const isSame = (["stage", "map", "row", "column"] as const).every((name) => next[name] === before[name]);
  if (!isSame) pixel.value = next;
}

/** The value of the chosen pixel; undefined before the first frame. */
export function chosenValue(): number | undefined {
  const values = frame.value?.maps[pixel.value.stage];
  return values && valueAt(values, pixel.value);
}

const digits = Array.from({ length: 10 }, (_, digit) => digit);

/** The probability of each digit, by both networks. */
function Outputs() {
  const shares = frame.value?.probabilities;
  const best = (values: Float32Array | undefined) => values && values.indexOf(Math.max(...values));
  const [convolution, dense] = [best(shares?.convolution), best(shares?.dense)];
  return (
    <div class="convolution-outputs">
      <Heading title="Outputs" size="10 digits" />
      <ol data-testid="convolution-probabilities" start={0} aria-label="Probability of each digit, by both networks">
        {digits.map((digit) => (
          <li key={digit}>
            <span class={digit === convolution ? "best" : ""}>{digit}</span>
            <span class="convolution-bars">
              <span class="convolution-bar" style={{ width: `${100 * (shares?.convolution[digit] ?? 0)}%` }} />
              <span class="convolution-bar dense" style={{ width: `${100 * (shares?.dense[digit] ?? 0)}%` }} />
            </span>
            <span class="value">{evenPercent(shares?.convolution[digit] ?? NaN)}</span>
          </li>
        ))}
      </ol>
      <p class="convolution-answers">
        <span class="high">Convolutional</span>
        <output data-testid="convolution-prediction">{convolution ?? "–"}</output>
        <span class="low">Dense</span>
        <output data-testid="convolution-dense-prediction">{dense ?? "–"}</output>
      </p>
    </div>
  );
}
