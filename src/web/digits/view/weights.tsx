/*
 * The weights of the first layer, an image for each unit.
 */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { scheme } from "../../shared/colors.ts";
import { Checkbox, Segments } from "../../shared/fields.tsx";
import { rounded } from "../../shared/format.ts";
import { redrawMilliseconds } from "../../shared/redraws.ts";
import type { WeightsEvent } from "../contract.ts";
import { watchWeights, weights } from "../state/index.ts";
import { unitName } from "./diagram/selection.ts";
import { divergingColors, drawMosaic } from "./mosaic.ts";
import { picture } from "./pad-canvas.tsx";
import { Tile } from "./tile.tsx";

/** What the tiles show, and whether all units are shown. */
const content = signal<"weights" | "ink">("weights");
const all = signal(false);

/** The least time between two sets of tiles: each is drawn again, and they change slowly. */
const LEAST_MILLISECONDS = 400;

const contents = [
  { value: "weights", text: "Weights", testId: "weights-plain" },
  { value: "ink", text: "Weights × ink", testId: "weights-ink" },
] as const;

export function Weights() {
  const now = weights.value;
  useEffect(() => {
    const milliseconds = Math.max(LEAST_MILLISECONDS, redrawMilliseconds());
    watchWeights({ all: all.value, milliseconds });
    return () => watchWeights({ all: false, milliseconds });
  }, [all.value]);
  const hasMore = now !== undefined && now.units > now.layers[0]!.units.length;
  return (
    <div class="stack weights-view">
      <div class="row">
        <Segments
          legend="What the tiles show"
          name="tile-content"
          options={contents}
          value={content.value}
          onChange={(value) => (content.value = value)}
        />
        {hasMore && (
          <Checkbox
            label={`Show all ${now.units} units`}
            testId="all-weights"
            value={all.value}
            onChange={(value) => (all.value = value)}
          />
        )}
      </div>
      {now &&
        (all.value && now.tileUnits.length > now.layers[0]!.units.length ? (
          <AllTiles now={now} />
        ) : (
          <Tiles now={now} />
        ))}
      <p class="quiet">
        <span class="high">Blue</span> is a positive weight, <span class="low">orange</span> a negative one
        {now && `; the largest is ${rounded(now.largest)}`}. Pixels that are blank in every training image are faded:
        their weights stay noise. Weights × ink shows what the drawing adds to each unit.
      </p>
    </div>
  );
}

/** The tiles of the units with the most influence. */
function Tiles({ now }: { now: WeightsEvent }) {
  const ink = content.value === "ink" ? (picture.value ?? new Uint8Array(784)) : undefined;
  return (
    <ul class={now.layers[0]!.units.length === 10 ? "tiles ten" : "tiles"} data-testid="weights">
      {[...now.layers[0]!.units].map((unit) => {
        const name = unitName({ layer: 0, unit }, now.layers.length);
        return (
          <li key={unit}>
            <Tile weights={now} place={now.tileUnits.indexOf(unit)} ink={ink} label={`The weights of ${name}`} />
            <span class="quiet">{name}</span>
          </li>
        );
      })}
    </ul>
  );
}

/** The tiles of all units in one picture. */
function AllTiles({ now }: { now: WeightsEvent }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { tiles, units } = now;
  const colors = scheme.value;
  const columns = Math.max(1, Math.ceil(Math.sqrt(2.6 * units)));
  const ink = content.value === "ink" ? picture.value : undefined;
  useEffect(() => {
    drawMosaic(canvas.current!, { side: 28, columns, count: units }, divergingColors(), (index) =>
      Math.round(128 + tiles[index]! * (ink ? ink[index % 784]! / 255 : 1)),
    );
  }, [now, ink, colors]);
  return (
    <canvas
      ref={canvas}
      class="mosaic"
      data-testid="weights"
      role="img"
      aria-label={`The weights of all ${units} units of the first layer`}
    />
  );
}
