import { describe, expect, test } from "vitest";
import { OptionError } from "../../src/errors.ts";
import { schedules } from "../../src/nn/index.ts";

const at = (schedule: ReturnType<typeof schedules.constant>, steps: number[], total = 90) =>
  steps.map((step) => schedule(step, total));

const steps = (count: number) => Array.from({ length: count }, (_, index) => index);

function expectClose(found: number[], wanted: number[]) {
  expect(found.length).toBe(wanted.length);
  found.forEach((value, index) => expect(value).toBeCloseTo(wanted[index]!, 14));
}

describe("schedules", () => {
  test("constant", () => expect(at(schedules.constant(), [0, 50, 89])).toEqual([1, 1, 1]));

  test("step decays at multiples", () => {
    expectClose(at(schedules.step({ every: 10, factor: 0.5 }), [0, 9, 10, 19, 20, 35]), [1, 1, 0.5, 0.5, 0.25, 0.125]);
    expectClose(at(schedules.step(), [0, 29, 30, 60, 89]), [1, 1, 0.1, 0.01, 0.01]);
  });

  test("exponential passes through the same points without jumps", () => {
    expectClose(at(schedules.exponential({ every: 10, factor: 0.25 }), [0, 5, 10, 20]), [1, 0.5, 0.25, 0.0625]);
    expectClose(at(schedules.exponential(), [0, 45, 90]), [1, 10 ** -1.5, 1e-3]);
  });

  test("cosine goes from 1 through the middle to its final value", () => {
    expectClose(at(schedules.cosine(), [0, 30, 45, 60, 90]), [1, 0.75, 0.5, 0.25, 0]);
    expectClose(at(schedules.cosine({ final: 0.2 }), [0, 45, 90]), [1, 0.6, 0.2]);
  });

  test("linear goes from 1 to its final value", () => {
    expectClose(at(schedules.linear(), [0, 30, 45, 90]), [1, 2 / 3, 0.5, 0]);
    expectClose(at(schedules.linear({ final: 0.2 }), [0, 45, 90]), [1, 0.6, 0.2]);
  });

  test("cosineRestarts equals PyTorch's CosineAnnealingWarmRestarts", () => {
    // CosineAnnealingWarmRestarts(T_0=4)
    const equal = [1, 0.8535533905932737, 0.5, 0.14644660940672627];
    expectClose(at(schedules.cosineRestarts({ every: 4 }), steps(12)), [...equal, ...equal, ...equal]);
    expectClose(at(schedules.cosineRestarts(), steps(12), 12), [...equal, ...equal, ...equal]);
    // CosineAnnealingWarmRestarts(T_0=3, T_mult=2, eta_min=0.1)
    const growing = [
      1, 0.775, 0.325, 1, 0.9397114317029974, 0.775, 0.55, 0.325, 0.16028856829700258, 1, 0.9846666218300807,
      0.9397114317029974, 0.8681980515339464, 0.775, 0.6664685702961344, 0.55, 0.4335314297038657, 0.325,
      0.23180194846605365, 0.16028856829700258, 0.11533337816991932, 1, 0.9961501876182147, 0.9846666218300807,
      0.9657457896300791,
    ];
    expectClose(at(schedules.cosineRestarts({ every: 3, growth: 2, final: 0.1 }), steps(25)), growing);
  });

  test("oneCycle equals PyTorch's OneCycleLR", () => {
    // OneCycleLR(total_steps=20)
    const usual = [
      0.04, 0.1316718427000253, 0.3716718427000253, 0.6683281572999747, 0.9083281572999747, 1, 0.9874640062350873,
      0.9504846320134737, 0.89091617757105, 0.8117456539497631, 0.7169430017913008, 0.6112620219362893, 0.500002,
      0.38874197806371075, 0.28306099820869923, 0.18825834605023697, 0.10908782242895004, 0.049519367986526286,
      0.012539993764912554, 4e-6,
    ];
    expectClose(at(schedules.oneCycle(), steps(20), 20), usual);
    // OneCycleLR(total_steps=15, pct_start=0.4, div_factor=10, final_div_factor=100)
    const steeper = [
      0.1, 0.18594235253127367, 0.41094235253127365, 0.6890576474687262, 0.9140576474687263, 1, 0.9698764640825612,
      0.8831391993379295, 0.75025, 0.5872372647446318, 0.41376273525536833, 0.25075, 0.11786080066207054,
      0.031123535917438796, 0.001,
    ];
    expectClose(at(schedules.oneCycle({ rise: 0.4, initial: 0.1, final: 0.001 }), steps(15), 15), steeper);
  });

  test("oneCycle has factors in [0, 1] in runs of any length", () => {
    for (const rise of [0, 0.3, 1]) {
      for (const total of [1, 2, 3, 10]) {
        const found = at(schedules.oneCycle({ rise }), steps(total), total);
        expect(found.every((factor) => factor >= 0 && factor <= 1)).toBe(true);
      }
    }
    expectClose(at(schedules.oneCycle({ rise: 1 }), [0, 9], 10), [0.04, 1]);
  });

  test("warmup rises linearly, and then follows the other schedule", () => {
    expectClose(at(schedules.warmup(4), [0, 1, 3, 4, 80]), [0.25, 0.5, 1, 1, 1]);
    expectClose(at(schedules.warmup(10, schedules.cosine()), [0, 9, 10, 50, 90]), [0.1, 1, 1, 0.5, 0]);
  });

  test("a run with only warm-up steps does not divide by zero", () => {
    expect(at(schedules.warmup(100, schedules.cosine()), [0, 99, 100], 100)).toEqual([0.01, 1, 1]);
  });

  test.each([
    () => schedules.step({ every: 0 }),
    () => schedules.step({ factor: 0 }),
    () => schedules.exponential({ factor: NaN }),
    () => schedules.exponential({ every: 1.5 }),
    () => schedules.cosine({ final: 2 }),
    () => schedules.linear({ final: -0.1 }),
    () => schedules.cosineRestarts({ every: 0 }),
    () => schedules.cosineRestarts({ growth: 0.5 }),
    () => schedules.cosineRestarts({ final: 2 }),
    () => schedules.oneCycle({ rise: 1.1 }),
    () => schedules.oneCycle({ initial: -1 }),
    () => schedules.oneCycle({ final: NaN }),
    () => schedules.warmup(0),
    () => schedules.cosine(100 as never),
    () => schedules.step({ stepSize: 10 } as never),
    () => schedules.oneCycle({ maxLr: 1 } as never),
    () => schedules.linear({ every: 2 } as never),
    () => schedules.cosineRestarts({ factor: 2 } as never),
  ])("%s is refused", (make) => {
    expect(make).toThrow(OptionError);
  });
});
