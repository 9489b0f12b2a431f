/*
 * How the chosen pixel of a feature map is computed: patch × filter = number.
 */
import { explain, receptiveField, stages, type Explanation, type Pixel } from "../stages.ts";
import { frame, pixel } from "../state/index.ts";
import { chosenValue, stageTexts } from "./flow.tsx";
import { SmallPicture } from "./picture.tsx";

/** The share of the full color behind the largest number, in percent: the number stays readable in both themes. */
const MOST_COLOR = 40;

/** Two decimals, without a minus sign before 0. */
const number = (value: number) => (Math.abs(value) < 0.005 ? 0 : value).toFixed(2).replace("-", "−");

export function Detail() {
  const now = frame.value;
  const chosen = pixel.value;
  const { name } = stageTexts[chosen.stage]!;
  const { side } = receptiveField(chosen);
  return (
    <section class="card convolution-detail" aria-labelledby="convolution-detail-title">
      <h2 id="convolution-detail-title">One pixel, computed</h2>
      <p class="quiet" role="status" data-testid="convolution-chosen">
        Map {chosen.map + 1} of the {name}, row {chosen.row + 1}, column {chosen.column + 1}. It depends on {side}×
        {side} pixels of the input.
      </p>
      <div class="convolution-sum" data-testid="convolution-sum">
        {now && <Sum chosen={chosen} explanation={explain(now, chosen)} value={chosenValue()!} />}
      </div>
      <p class="quiet">Point at a pixel of a feature map, or tap it. The arrow keys move to the next one.</p>
    </section>
  );
}

function Sum({ chosen, explanation, value }: { chosen: Pixel; explanation: Explanation; value: number }) {
  const { parts, bias, total } = explanation;
  const isPooling = stages[chosen.stage]!.kind === "pooling";
  if (isPooling) return <Largest patch={parts[0]!.patch} value={value} />;
  return (
    <>
      {parts.length === 1 ? <Product {...parts[0]!} /> : <Products parts={parts} />}
      <p class="convolution-equation">
        <span>
          {parts.length === 1 ? "25 products" : `${parts.length} sums`}: {number(total - bias)}
        </span>
        <span>+ bias {number(bias)}</span>
        <span>= {number(total)}</span>
        <span>
          → ReLU <strong data-testid="convolution-value">{number(value)}</strong>
        </span>
      </p>
    </>
  );
}

/** A patch and a filter with their numbers. */
function Product({ patch, filter }: { patch: Float32Array; filter: Float32Array }) {
  return (
    <div class="convolution-product">
      <Numbers values={patch} caption="patch of the input" colors="ink" />
      <span class="convolution-operator">×</span>
      <Numbers values={filter} caption="filter" colors="signed" />
    </div>
  );
}

/** The patch of each input map with its filter, too many for numbers. */
function Products({ parts }: { parts: Explanation["parts"] }) {
  const largest = parts.reduce((most, { patch }) => Math.max(most, ...patch), 1e-9);
  const heaviest = parts.reduce((most, { filter }) => Math.max(most, ...filter.map(Math.abs)), 1e-9);
  const side = Math.sqrt(parts[0]!.patch.length);
  return (
    <ol class="convolution-products" aria-label="Patch times filter, for each pooled map">
      {parts.map(({ patch, filter, sum }, map) => (
        <li key={map}>
          <Tile values={patch} side={side} largest={largest} />×
          <Tile values={filter} side={side} largest={heaviest} /> <span>= {number(sum)}</span>
        </li>
      ))}
    </ol>
  );
}

function Tile({ values, side, largest }: { values: Float32Array; side: number; largest: number }) {
  return (
    <SmallPicture side={side} colors="signed" values={() => ({ side, at: (index) => values[index]! / largest })} />
  );
}

/** The largest of four numbers. */
function Largest({ patch, value }: { patch: Float32Array; value: number }) {
  return (
    <>
      <div class="convolution-product">
        <Numbers
          values={patch}
          caption="2×2 pixels of the map"
          colors="signed"
          marked={patch.indexOf(Math.max(...patch))}
        />
      </div>
      <p class="convolution-equation">
        <span>
          the largest is <strong data-testid="convolution-value">{number(value)}</strong>
        </span>
      </p>
    </>
  );
}

/** A square of numbers on their colors. */
function Numbers(props: { values: Float32Array; caption: string; colors: "ink" | "signed"; marked?: number }) {
  const { values, caption, colors, marked } = props;
  const side = Math.sqrt(values.length);
  const largest = colors === "ink" ? 1 : values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  return (
    <figure class="convolution-numbers">
      <div style={{ "--side": side }}>
        {Array.from(values, (value, index) => (
          <span
            key={index}
            class={`${value < 0 ? "negative" : ""} ${index === marked ? "marked" : ""}`}
            style={{ "--share": Math.round(MOST_COLOR * Math.abs(value / largest)) }}
          >
            {number(value)}
          </span>
        ))}
      </div>
      <figcaption class="quiet">{caption}</figcaption>
    </figure>
  );
}
