/** How many neighbors on either side a value is compared with. Two high values in a row still count as a spike. */
const REACH = 2;

/** Spikes are cut off if the axis would have to be this many times as long to show them. */
const STRETCH = 2;

/** In a shorter series, no value counts as a spike. */
const FEWEST_VALUES = 20;

/** The free space above and below, as a share of the range. */
const MARGIN = 0.05;

/**
 * Axis limits for series. Spikes of one or two values do not flatten the rest of the curve.
 * @returns undefined if there is nothing to show
 */
export function robustRange(series: readonly ArrayLike<number>[]): [number, number] | undefined {
  const finite = series.map((values) => Array.from(values).filter(Number.isFinite));
  const whole = endsOf(finite.flat());
  const usual = endsOf(finite.flatMap(medians));
  const isStretched = usual[0] <= usual[1] && whole[1] - whole[0] > STRETCH * (usual[1] - usual[0]);
  const [least, most] = isStretched ? usual : whole;
  if (least > most) return undefined;
  const margin = MARGIN * (most - least || Math.abs(most) || 1);
  return [least - margin, most + margin];
}

function endsOf(values: readonly number[]): [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return [least, most];
}

/** The median of each value and its neighbors; a short series is returned as it is. */
function medians(values: readonly number[]): readonly number[] {
  if (values.length < FEWEST_VALUES) return values;
  const result: number[] = [];
  for (let index = REACH; index + REACH < values.length; index++) {
    result.push(values.slice(index - REACH, index + REACH + 1).sort((a, b) => a - b)[REACH]!);
  }
  return result;
}
