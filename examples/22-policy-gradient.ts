/*
 * A pole is hinged to a cart, and a network learns to keep it upright by pushing the cart to the left or to the right. The
 * gradient of the expected return is estimated from episodes (REINFORCE, Williams 1992; Sutton and Barto 2018, section 13.4):
 *
 *   ∇J = E[Σₜ (Gₜ − bₜ) ∇ ln π(aₜ | sₜ)]      Gₜ = Σₖ γᵏ rₜ₊ₖ, with a reward of 1 for each step until the pole falls
 *
 * The policy outputs the logit of a push to the right, so −ln π(a | s) is the binary cross-entropy of the action, and the
 * gradient is that of a cross-entropy with Gₜ − bₜ as the weights. The baseline bₜ, the mean return of the episodes that
 * are still running at step t, reduces the variance of the estimate.
 */
import {
  defineGraph,
  dense,
  gradients,
  input,
  optimizers,
  Random,
  sequential,
  sigmoid,
  sigmoidBinaryCrossEntropy,
  type Backend,
} from "../src/index.ts";
import { colors, line, picture, points, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

/** The position of the cart in m, its velocity, the angle of the pole in radians from upright, and its angular velocity. */
export type CartPole = readonly [x: number, velocity: number, angle: number, rotation: number];

const [GRAVITY, CART_MASS, POLE_MASS, HALF_LENGTH] = [9.8, 1, 0.1, 0.5];
const [CART_FRICTION, POLE_FRICTION] = [0.0005, 0.000002];
const [FORCE, SECONDS] = [10, 0.02];

/** The next state, by Euler's method with 0.02 s (the appendix of Barto, Sutton and Anderson 1983). */
export function push([x, velocity, angle, rotation]: CartPole, force: number): CartPole {
  const mass = CART_MASS + POLE_MASS;
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const drag = CART_FRICTION * Math.sign(velocity);
  const pushed = (force + POLE_MASS * HALF_LENGTH * rotation ** 2 * sine - drag) / mass;
  const rotationRate =
    (GRAVITY * sine - cosine * pushed - (POLE_FRICTION * rotation) / (POLE_MASS * HALF_LENGTH)) /
    (HALF_LENGTH * (4 / 3 - (POLE_MASS * cosine ** 2) / mass));
  const acceleration = pushed - (POLE_MASS * HALF_LENGTH * rotationRate * cosine) / mass;
  return [
    x + SECONDS * velocity,
    velocity + SECONDS * acceleration,
    angle + SECONDS * rotation,
    rotation + SECONDS * rotationRate,
  ];
}

/** Whether the pole is more than 12° from upright, or the cart more than 2.4 m from the middle of its track. */
export const hasFailed = ([x, , angle]: CartPole): boolean => Math.abs(x) > 2.4 || Math.abs(angle) > Math.PI / 15;

/** Episodes per update, and the step at which an episode ends although the pole is still up. */
export const EPISODES = 16;
export const LONGEST = 200;
const ROWS = EPISODES * LONGEST;
const DISCOUNT = 0.99;
const LEARNING_RATE = 0.05;

/** The states of one episode, and whether the cart was pushed to the right in each. */
export interface Episode {
  readonly states: CartPole[];
  readonly actions: number[];
}

/** Runs the episodes of one update side by side. `policy` returns the probability of a push to the right for each state. */
async function play(
  policy: (states: readonly CartPole[]) => Promise<ArrayLike<number>>,
  random: Random,
): Promise<Episode[]> {
  const start = () => random.uniform(-0.05, 0.05);
  const states = Array.from({ length: EPISODES }, (): CartPole => [start(), start(), start(), start()]);
  const episodes = states.map((): Episode => ({ states: [], actions: [] }));
  for (let step = 0; step < LONGEST && !states.every(hasFailed); step++) {
    const right = await policy(states);
    states.forEach((state, index) => {
      if (hasFailed(state)) return;
      const action = Number(random.uniform() < right[index]!);
      episodes[index]!.states.push(state);
      episodes[index]!.actions.push(action);
      states[index] = push(state, action === 1 ? FORCE : -FORCE);
    });
  }
  return episodes;
}

/** Gₜ − bₜ for each step of each episode, from the lengths of the episodes. */
export function advantages(lengths: readonly number[]): number[][] {
  const returns = lengths.map((length) => {
    const found = new Array<number>(length);
    for (let step = length - 1, rest = 0; step >= 0; step--) found[step] = rest = 1 + DISCOUNT * rest;
    return found;
  });
  const baselines = Array.from({ length: Math.max(...lengths) }, (_, step) => {
    const running = returns.filter(({ length }) => length > step);
    return running.reduce((total, found) => total + found[step]!, 0) / running.length;
  });
  return returns.map((found) => found.map((value, step) => value - baselines[step]!));
}

/** The inputs of the policy, roughly in −1 … 1. */
const scaled = (states: readonly CartPole[]) =>
  states.flatMap(([x, velocity, angle, rotation]) => [x / 2.4, velocity / 2, angle / 0.21, rotation / 2]);

/** A list of numbers with zeros at its end. */
function padded(values: readonly number[], length: number): Float32Array {
  const all = new Float32Array(length);
  all.set(values);
  return all;
}

/** Trains a 4-16-1 policy, and returns the episodes of each update. */
export async function learn(
  backend: Backend,
  { seed, updates }: { seed: number; updates: number },
): Promise<Episode[][]> {
  const policy = sequential([dense(16, { activation: "tanh" }), dense(1)], { inputShape: [4], seed });
  const now = input("now", [EPISODES, 4]);
  const [states, actions, weights] = [
    input("states", [ROWS, 4]),
    input("actions", [ROWS, 1]),
    input("weights", [ROWS]),
  ];
  const loss = sigmoidBinaryCrossEntropy(policy.apply(states), actions, { weights, reduction: "sum" });
  const slopes = gradients(loss, policy.parameters);
  const changes = optimizers.adam().update(policy.parameters, slopes, { learningRate: LEARNING_RATE });
  const session = backend.createSession();
  const acting = await session.compile(defineGraph({ right: sigmoid(policy.apply(now)) }));
  const learning = await session.compile(defineGraph({ loss }, changes));
  const random = new Random(seed);
  const history: Episode[][] = [];
  for (let update = 0; update < updates; update++) {
    const episodes = await play(async (current) => {
      session.write(now, Float32Array.from(scaled(current)));
      await acting.run(0, 1);
      return acting.read("right");
    }, random);
    // Rows beyond the last step of the episodes have the weight 0.
    session.write(states, padded(scaled(episodes.flatMap((episode) => episode.states)), 4 * ROWS));
    session.write(
      actions,
      padded(
        episodes.flatMap((episode) => episode.actions),
        ROWS,
      ),
    );
    const found = advantages(episodes.map((episode) => episode.actions.length));
    session.write(
      weights,
      padded(
        found.flat().map((value) => value / EPISODES),
        ROWS,
      ),
    );
    await learning.run(update, 1);
    history.push(episodes);
  }
  session.dispose();
  return history;
}

/** The mean number of steps of some episodes. */
export const meanLength = (episodes: readonly Episode[]): number =>
  episodes.reduce((total, { actions }) => total + actions.length, 0) / episodes.length;

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const updates = 25;
  const history = await learn(backend, { seed: 1, updates });
  history.forEach((episodes, update) => {
    if (update % 4 === 0) print(`update ${update + 1}: the pole stays up for ${meanLength(episodes).toFixed(0)} steps`);
  });
  const angles = (episodes: readonly Episode[], name: string, color: string) =>
    episodes.slice(0, 4).map(({ states }) =>
      line(
        name,
        states.map(([, , angle], step): Point => [step * SECONDS, (angle * 180) / Math.PI]),
        { color, width: 1 },
      ),
    );
  await draw(
    picture("22", [
      {
        title: `Length of the episodes, at most ${LONGEST} steps`,
        x: { name: "update", max: updates },
        y: { name: "steps", min: 0 },
        series: [
          points(
            "episode",
            history.flatMap((episodes, update) => episodes.map(({ actions }): Point => [update + 1, actions.length])),
            { color: colors.sky, size: 4 },
          ),
          line(
            "mean",
            history.map((episodes, update): Point => [update + 1, meanLength(episodes)]),
            { color: colors.blue },
          ),
        ],
      },
      {
        title: "Angle of the pole, until it falls",
        x: { name: "seconds", max: LONGEST * SECONDS },
        y: { name: "degrees from upright", min: -15, max: 15 },
        series: [
          ...angles(history[0]!, "before training", colors.orange),
          ...angles(history.at(-1)!, "after training", colors.blue),
        ],
      },
    ]),
  );
}
