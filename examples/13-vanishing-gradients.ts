/*
 * The gradient as it flows back through a deep network, before the first step: each layer multiplies it by Wᵀ and by σ′(z).
 * The slope of the sigmoid is at most ¼, so the gradient vanishes. tanh preserves it with Xavier initialization, and relu
 * with He initialization (Glorot and Bengio 2010; He, Zhang, Ren and Sun 2015).
 */
import {
  createGradientNorms,
  dense,
  initializers,
  makeClassificationDataset,
  Random,
  sequential,
  type ActivationName,
  type Backend,
  type ClassificationDataset,
  type Initializer,
} from "../src/index.ts";
import { colors, line, picture, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

export const DEPTH = 12;
const WIDTH = 32;

export const activations = ["sigmoid", "tanh", "relu"] as const satisfies readonly ActivationName[];

/** Weights with variance 2 / (fan-in + fan-out), and with 2 / fan-in. */
export const initializations: Readonly<Record<"Xavier" | "He", Initializer>> = {
  Xavier: initializers.xavierNormal,
  He: initializers.heNormal,
};

/** Random features in two random classes: only the flow of the gradient matters here. */
function noise(): ClassificationDataset {
  const random = new Random(13);
  const features = Float32Array.from({ length: 128 * WIDTH }, () => random.normal());
  const labels = Uint32Array.from({ length: 128 }, () => random.below(2));
  return makeClassificationDataset({ name: "noise", features, shape: [WIDTH], labels, classes: ["0", "1"] });
}

/** The norm of the loss's gradient with respect to each layer's weights and biases, from the first layer to the last. */
export async function normsPerLayer(
  backend: Backend,
  activation: ActivationName,
  weights: Initializer,
): Promise<number[]> {
  const hidden = Array.from({ length: DEPTH - 1 }, () => dense(WIDTH, { activation, weights }));
  const model = sequential([...hidden, dense(2, { weights })], { inputShape: [WIDTH], seed: 1 });
  const session = backend.createSession();
  const norms = await (await createGradientNorms({ model, backend, session, dataset: noise() })).measure();
  session.dispose();
  return norms;
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const palette = { sigmoid: colors.orange, tanh: colors.green, relu: colors.blue };
  const panels = [];
  for (const [name, initializer] of Object.entries(initializations)) {
    const series = [];
    for (const activation of activations) {
      const norms = await normsPerLayer(backend, activation, initializer);
      const [first, last] = [norms[0]!, norms.at(-1)!];
      print(
        `${name.padEnd(6)} ${activation.padEnd(7)} layer 1: ${first.toExponential(1)}, layer ${DEPTH}: ${last.toExponential(1)}, ratio ${(first / last).toExponential(1)}`,
      );
      series.push(
        line(
          activation,
          norms.map((norm, layer): Point => [layer + 1, norm]),
          { color: palette[activation] },
        ),
      );
    }
    panels.push({
      title: `${name} initialization`,
      x: { name: "layer", min: 1, max: DEPTH },
      y: { name: "gradient norm", log: true, min: 1e-8, max: 10 },
      series,
    });
  }
  await draw(picture("13", panels));
}
