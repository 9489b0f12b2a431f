/*
 * The attention of one head, as arcs from a character to those that the head read to predict it.
 */
import { percent } from "../../shared/format.ts";
import { attentionAt, likeliest, named, rowOf, shownPlace, shownSample, written } from "../state/index.ts";
import { characterOf } from "./characters.tsx";

/** The most characters that are drawn, those up to the pointed one. */
const MOST_CELLS = 24;

/** In units of the picture. */
const CELL = 20;
const HEIGHT = 96;
const TEXT_HEIGHT = 26;

export function Arcs({ layer, head }: { layer: number; head: number }) {
  const sample = shownSample.value;
  if (!sample) return <svg class="text-arcs" viewBox={`0 0 ${9 * CELL} ${HEIGHT + TEXT_HEIGHT}`} aria-hidden="true" />;
  const { row, place } = shownPlace.value;
  const tokens = rowOf(sample, row);
  const weights = attentionAt(sample, { row, place }, { layer, head });
  const cells = Math.min(MOST_CELLS, sample.length);
  // The pointed character is the last one drawn if it is far along.
  const first = Math.max(0, place + 1 - cells);
  const shown = Array.from({ length: cells }, (_, index) => first + index);
  const middle = (position: number) => (position - first + 0.5) * CELL;
  const most = Math.max(0, ...weights);
  const said = likeliest(weights, 3)
    .filter(({ probability }) => probability >= 0.005)
    .map(({ token: position, probability }) => {
      const character = named(characterOf(tokens[position]!));
      return `“${character}” ${percent(probability, 0)} (${place - position} back)`;
    });
  const text = place === 0 ? "Nothing comes before it." : `Most of all: ${said.join(", ")}.`;
  return (
    <>
      <svg
        class="text-arcs"
        viewBox={`0 0 ${cells * CELL} ${HEIGHT + TEXT_HEIGHT}`}
        style={{ maxWidth: `${cells * 1.6 * CELL}px` }}
        role="img"
        aria-label={`Attention of head ${head + 1} of layer ${layer + 1}. ${text}`}
        data-testid="text-arcs"
      >
        {weights.map((weight, position) =>
          position < first || weight < 0.005 ? undefined : (
            <Arc key={position} from={middle(place)} to={middle(position)} weight={weight} data-position={position} />
          ),
        )}
        {shown.map((position) => (
          <text
            key={position}
            x={middle(position)}
            y={HEIGHT + 18}
            class={position === place ? "chosen" : position > place ? "later" : ""}
            style={position < place && most > 0 ? { opacity: 0.45 + (0.55 * weights[position]!) / most } : undefined}
          >
            {written(characterOf(tokens[position]!))}
          </text>
        ))}
        <rect x={middle(place) - CELL / 2 + 1} y={HEIGHT + 2} width={CELL - 2} height={TEXT_HEIGHT - 4} rx={3} />
      </svg>
      <p class="quiet text-attended" data-testid="text-attended">
        {text}
      </p>
    </>
  );
}

/** Half an ellipse, as wide as the weight is large. */
function Arc({ from, to, weight, ...others }: { from: number; to: number; weight: number; "data-position": number }) {
  const [rx, ry] = [(from - to) / 2, Math.min(HEIGHT - 6, 14 + (from - to) / 2)];
  return (
    <path
      d={`M ${to} ${HEIGHT} A ${rx} ${ry} 0 0 1 ${from} ${HEIGHT}`}
      style={{ strokeWidth: 0.5 + 7 * weight, opacity: 0.25 + 0.75 * weight }}
      {...others}
    />
  );
}
