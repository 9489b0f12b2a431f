import { describe, expect, test } from "vitest";
import {
  descendParabola,
  fitBoth,
  fitIntercept,
  heights,
  squaredResidualsAt,
  weights,
} from "../../examples/05-gradient-descent.ts";
import { fit, leastSquares, oneInput, severalInputs, starts } from "../../examples/06-linear-regression.ts";
import { fitPolynomial, fits as polynomials, type PolynomialFit } from "../../examples/07-polynomial-regression.ts";
import { bump, fitCurve, fits as curves, shapes } from "../../examples/08-curve-fitting.ts";
import { initializers, makeRegressionDataset } from "../../src/index.ts";
import { onBackends } from "./on-backends.ts";

onBackends("gradient descent", (backend) => {
  test("fits the intercept as computed by hand: 0, 0.57, 0.80, 0.89, 0.92, 0.94, 0.95", async () => {
    const { record, losses, steps, stopped } = await fitIntercept(backend());
    const found = record["intercept"]!;
    // The derivative at 0 is −2 Σ (height − 0.64 weight) = −5.704, and the loss there 1.08² + 0.428² + 1.344².
    [0, 0.5704, 0.7986, 0.8898, 0.9263, 0.9409, 0.9468].forEach((value, step) =>
      expect(found[step]).toBeCloseTo(value, 4),
    );
    expect(losses[0]).toBeCloseTo(3.15592, 4);
    // The step k + 1 is 0.5704 · 0.4ᵏ long: at most 0.001 for k ≥ 6.93.
    expect([steps, stopped]).toEqual([8, "smallStep"]);
  });

  test("fits slope and intercept close to least squares, and reports that it reached the maximum number of steps", async () => {
    const dataset = makeRegressionDataset({
      name: "heights",
      features: Float32Array.from(weights),
      shape: [1],
      targets: Float32Array.from(heights),
      outputs: ["height"],
    });
    const [slope, intercept] = leastSquares(dataset) as [number, number];
    expect([slope, intercept]).toEqual([expect.closeTo(2 / 3.12, 5), expect.closeTo(0.9487, 4)]);
    const { record, losses, stopped, steps } = await fitBoth(backend());
    expect(stopped).toBe("smallStep");
    expect(steps).toBeLessThan(1000);
    expect(Math.abs(record["slope"]!.at(-1)! - slope)).toBeLessThan(0.01);
    expect(Math.abs(record["intercept"]!.at(-1)! - intercept)).toBeLessThan(0.01);
    expect(losses.at(-1)).toBeCloseTo(squaredResidualsAt(slope, intercept), 3);
    expect(await fitBoth(backend(), 20)).toMatchObject({ steps: 20, stopped: "maxSteps" });
  });

  test("multiplies x by 0.8 at each step on y = x², until the maximum number of steps or a small step", async () => {
    const short = await descendParabola(backend(), 10);
    expect([short.steps, short.stopped]).toEqual([10, "maxSteps"]);
    expect(short.record["x"]!.at(-1)).toBeCloseTo(-(0.8 ** 10), 6);
    const long = await descendParabola(backend(), 1000);
    expect([long.steps, long.stopped]).toEqual([25, "smallStep"]);
  });
});

describe("least squares", () => {
  test("finds the coefficients of data without noise", () => {
    const features = Float32Array.of(0, 1, 1, 0, 2, 2, 3, -1);
    const targets = Float32Array.from([0, 1, 2, 3], (row) => 2 * features[2 * row]! - 3 * features[2 * row + 1]! + 0.5);
    const found = leastSquares(makeRegressionDataset({ name: "exact", features, shape: [2], targets, outputs: ["y"] }));
    [2, -3, 0.5].forEach((value, index) => expect(found[index]).toBeCloseTo(value, 10));
  });
});

onBackends("linear regression", (backend) => {
  test.each(Object.entries(starts))("of one input agrees with least squares to 1e-3 from %s", async (_, weight) => {
    const expected = leastSquares(oneInput);
    const { coefficients } = await fit(backend(), oneInput, weight);
    coefficients.forEach((value, index) => expect(Math.abs(value - expected[index]!)).toBeLessThan(1e-3));
  });

  test("agrees with least squares to 1e-3 for several inputs", async () => {
    const expected = leastSquares(severalInputs);
    const { coefficients } = await fit(backend(), severalInputs, initializers.zeros);
    expect(coefficients).toHaveLength(4);
    coefficients.forEach((value, index) => expect(Math.abs(value - expected[index]!)).toBeLessThan(1e-3));
  });
});

onBackends("polynomial regression", (backend) => {
  test("overfits if the degree is too high, and less with weight decay", async () => {
    const found: PolynomialFit[] = [];
    for (const { degree, weightDecay } of Object.values(polynomials))
      found.push(await fitPolynomial(backend(), degree, weightDecay, 1200));
    const [right, over, decayed] = found as [PolynomialFit, PolynomialFit, PolynomialFit];
    const [training, validation] = [
      (one: PolynomialFit) => one.trainingLosses.at(-1)!,
      (one: PolynomialFit) => one.validationLosses.at(-1)!,
    ];
    expect(training(over)).toBeLessThan(0.6 * training(right));
    expect(validation(over)).toBeGreaterThan(2 * validation(right));
    expect(validation(decayed)).toBeLessThan(validation(over) / 2);
    expect(decayed.weightNorm).toBeLessThan(over.weightNorm / 2);
    // The lowest validation loss was before the end, where early stopping would have stopped.
    expect(Math.min(...over.validationLosses)).toBeLessThan(0.6 * validation(over));
  });
});

onBackends("curve fitting", (backend) => {
  test.each(shapes)("two %s units bend into the bump, eight follow the wave", async (activation) => {
    const [two, eight] = [
      await fitCurve(backend(), curves[0].dataset, { activation, ...curves[0] }),
      await fitCurve(backend(), curves[1].dataset, { activation, ...curves[1] }),
    ];
    expect(two.loss).toBeLessThan(1e-3);
    [0, 1, 0].forEach((effect, row) => expect(two.valueAt(bump.features[row]!)).toBeCloseTo(effect, 1));
    // A straight line leaves a mean squared error of about 0.2. The noise alone leaves 0.0025.
    expect(eight.loss).toBeLessThan(0.01);
    const c = eight.valueAt(0.3) - [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, unit) => sum + eight.unitAt(unit, 0.3), 0);
    expect(
      eight.valueAt(-0.6) - [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, unit) => sum + eight.unitAt(unit, -0.6), 0),
    ).toBeCloseTo(c, 5);
  });
});
