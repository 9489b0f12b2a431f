import { describe, expect, test } from "vitest";
import { DivergenceWatch } from "../../../../src/web/digits/state/divergence.ts";

describe("divergence with finite numbers", () => {
  const told = (losses: number[], accuracies: number[]) => new DivergenceWatch().add(losses, accuracies, 10);
  const steps = (count: number, value: (step: number) => number) =>
    Array.from({ length: count }, (_, step) => value(step));

  test("is reported once if the loss has risen and the accuracy is that of chance", () => {
    const watch = new DivergenceWatch();
    const [losses, accuracies] = [[2.4, ...steps(150, () => 14)], steps(151, (step) => (step % 2 === 0 ? 0.05 : 0.15))];
    const said = watch.add(losses, accuracies, 10);
    expect(said).toMatch(
      /^The training has diverged: .* the accuracy was 10 %, no better than chance, .* from 2\.4 to 14\. The learning rate 10 is too high/,
    );
    expect(watch.add(losses, accuracies, 10)).toBeUndefined();
  });

  test("is not reported for a network that learns, or has not learned yet", () => {
    expect(
      told(
        steps(300, (step) => 2.4 / (1 + step)),
        steps(300, (step) => Math.min(0.9, step / 100)),
      ),
    ).toBeUndefined();
    expect(
      told(
        steps(300, () => 2.4),
        steps(300, () => 0.1),
      ),
    ).toBeUndefined();
    expect(
      told(
        [2.4, ...steps(50, () => 14)],
        steps(51, () => 0.1),
      ),
    ).toBeUndefined();
    expect(
      told(
        [2.4, ...steps(150, () => 3)],
        steps(151, () => 0.4),
      ),
    ).toBeUndefined();
  });
});
