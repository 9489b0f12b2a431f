/*
 * The curves of a run.
 */

/** Beyond this, half of the points are dropped. */
const MOST_POINTS = 1000;

/** Losses in bits per character at a step; null where none was measured. */
interface Point {
  readonly step: number;
  readonly training: number | null;
  readonly test: number | null;
}

/** It never changes: `with` returns another one. */
export class Curve {
  readonly points: readonly Point[];

  constructor(points: readonly Point[] = []) {
    this.points = points;
  }

  /** Adds losses at the last step or a later one. */
  with(step: number, losses: Partial<Omit<Point, "step">>): Curve {
    const last = this.points.at(-1);
    const isSame = last?.step === step;
    const point = { step, training: null, test: null, ...(isSame && last), ...losses };
    const all = [...(isSame ? this.points.slice(0, -1) : this.points), point];
    if (all.length <= MOST_POINTS) return new Curve(all);
    return new Curve(halved(all));
  }
}

/** Every other point of those with a test, of which there are fewer, and every other one of the rest. */
function halved(points: readonly Point[]): readonly Point[] {
  const seen = { tests: 0, others: 0 };
  return points.filter(({ test }) => (test === null ? seen.others++ : seen.tests++) % 2 === 0);
}
