/** Values to either side of one among which it is a spike: two in a row are no curve yet. */
const REACH = 2;

/** A spike is cut off where the axis would have to be this many times as long for it. */
const STRETCH = 2;

/** Of a series with fewer values, none is taken for a spike. */
const FEWEST_VALUES = 20;

/** What is left free above and below. */
const MARGIN = 0.05;

/**
 * The ends of an axis for series, of which no single value, nor two in a row, makes a flat line of the others.
 * @returns undefined where there is nothing to show
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

/** Of each value with as many on either side of it; where there are too few, the values. */
function medians(values: readonly number[]): readonly number[] {
  if (values.length < FEWEST_VALUES) return values;
  const result: number[] = [];
  for (let index = REACH; index + REACH < values.length; index++) {
    result.push(values.slice(index - REACH, index + REACH + 1).sort((a, b) => a - b)[REACH]!);
  }
  return result;
}
