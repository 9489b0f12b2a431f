import { useEffect, useRef } from "preact/hooks";
import { scheme } from "../../shared/colors.ts";
import { watchWeights, weights } from "../state/index.ts";
import { rounded } from "../../shared/format.ts";
import { divergingColors, drawMosaic } from "./mosaic.ts";

/** The largest number of units to show. */
const MOST_UNITS = 128;

/** The weights of each unit of the first layer as an image. */
export function Weights() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const now = weights.value;
  const colors = scheme.value;
  useEffect(() => {
    watchWeights(true);
    return () => watchWeights(false);
  }, []);
  const count = Math.min(now?.units ?? 0, MOST_UNITS);
  const columns = columnsFor(count);
  useEffect(() => {
    if (!now || !canvas.current) return;
    const { values } = now;
    drawMosaic(canvas.current, { side: 28, columns, count }, divergingColors(), (index) => values[index]! + 128);
  }, [now, colors]);
  return (
    <figure>
      <canvas
        ref={canvas}
        class="mosaic"
        data-testid="weights"
        role="img"
        aria-label="The weights of the first layer, one image per unit"
        style={{ maxWidth: `${columns * 58}px` }}
      />
      <figcaption class="quiet">
        The weights of the first layer, one image per unit: <span class="high">blue</span> is positive,{" "}
        <span class="low">orange</span> negative.
        {now && ` The largest absolute value is ${rounded(now.largest)}.`}
        {now && now.units > count && ` ${count} of ${now.units} units are shown.`}
      </figcaption>
    </figure>
  );
}

/** About twice as wide as high, like the card. */
const columnsFor = (count: number) =>
  Math.max(1, Math.min(count, count <= 12 ? count : Math.ceil(Math.sqrt(2.6 * count))));
