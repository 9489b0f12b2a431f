import { IDBFactory } from "fake-indexeddb";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createCpuBackend } from "../../../src/backends/cpu/index.ts";
import { DeviceLostError, type Backend, type Executable } from "../../../src/index.ts";
import type { DigitsApi, DigitsCommand, DigitsEvent, WatchedWeights } from "../../../src/web/digits/contract.ts";
import { browserNetworkStore, type NetworkStore } from "../../../src/web/digits/service/kept.ts";
import { createDigitsService } from "../../../src/web/digits/service/service.ts";
import { defaultSettings, type DigitsSettings } from "../../../src/web/digits/settings.ts";
import * as page from "../../../src/web/digits/state/index.ts";
import { Requests, type Stamp } from "../../../src/web/shared/requests.ts";

const small: DigitsSettings = {
  ...defaultSettings,
  layers: [{ units: 8, activation: "relu", dropout: 0 }],
  batchSize: 32,
  data: "digits",
};
const wider: DigitsSettings = { ...small, layers: [{ units: 12, activation: "relu", dropout: 0 }] };

const pass = () => new Promise((resolve) => setTimeout(resolve, 4));

/** A store that saves nothing. */
const noStore: NetworkStore = { earlier: async () => undefined, save: async () => {} };

const service = (getBackend: () => Backend, store: NetworkStore = noStore) =>
  createDigitsService({ getBackend: async () => getBackend(), getPage: () => "http://localhost/", store });

/** Waits until a condition is true. */
const until = (holds: () => boolean) => vi.waitFor(() => expect(holds()).toBe(true), { timeout: 30_000, interval: 5 });

/** Sends commands to a service and records its events. */
function listen(api: DigitsApi) {
  const events: { event: DigitsEvent; stamp: Stamp }[] = [];
  const requests = new Requests();
  api.subscribe(
    ((event: DigitsEvent, stamp: Stamp) => void events.push({ event, stamp })) as Parameters<DigitsApi["subscribe"]>[0],
  );
  const all = <Kind extends DigitsEvent["kind"]>(kind: Kind) =>
    events.flatMap(({ event }) => (event.kind === kind ? [event as Extract<DigitsEvent, { kind: Kind }>] : []));
  return {
    events,
    all,
    command: (command: DigitsCommand) => api.command(requests.next(), command),
    step: () => all("status").at(-1)!.step,
    reaches: (step: number) => until(() => (all("progress").at(-1)?.step ?? 0) >= step),
    pause: async () => {
      await api.command(requests.next(), { kind: "pause" });
      await until(() => all("status").at(-1)!.activity === undefined);
    },
  };
}

describe("the page and its worker, with delayed messages between them", () => {
  /** Predictions of drawings wait for this. */
  let answers = Promise.resolve();
  beforeAll(async () => {
    const backend = createCpuBackend();
    const api = service(() => backend);
    const remote = {
      subscribe: async (listener: (event: DigitsEvent, stamp: Stamp) => void) =>
        api.subscribe(
          ((event: DigitsEvent, stamp: Stamp) => void pass().then(() => listener(event, stamp))) as Parameters<
            DigitsApi["subscribe"]
          >[0],
        ),
      command: async (request: number, command: DigitsCommand) => {
        await pass();
        await api.command(request, structuredClone(command));
      },
      predict: async (picture: Uint8Array) => {
        const found = await api.predict(picture);
        await answers;
        return found;
      },
      kept: () => api.kept(),
      watch: (parts: WatchedWeights) => api.watch(parts),
    };
    page.draft.value = small;
    await page.connect(remote as unknown as Parameters<typeof page.connect>[0]);
  });
  afterAll(() => page.toggleRunning());

  const trains = async () => {
    const { value } = page.curvesVersion;
    await until(() => page.curvesVersion.value > value + 3 && page.running.value);
  };

  test("restarts once for five quick resets, and keeps training", async () => {
    await trains();
    const { value } = page.networkVersion;
    for (let click = 0; click < 5; click++) {
      void page.reset();
      await pass();
    }
    await until(() => page.networkVersion.value > value);
    await trains();
    expect(page.fault.value).toBeUndefined();
  });

  test("keeps training after quick changes between the tabs", async () => {
    for (let flip = 0; flip < 6; flip++) {
      page.setVisible(flip % 2 === 1);
      await new Promise((resolve) => setTimeout(resolve, 2 * flip));
    }
    await trains();
    page.setVisible(false);
    await until(() => page.activity.value === undefined);
    expect(page.running.value).toBe(true);
    page.setVisible(true);
    await trains();
  });

  test("keeps training after two quick presses of Space", async () => {
    void page.toggleRunning();
    void page.toggleRunning();
    expect(page.running.value).toBe(true);
    await trains();
  });

  test("never shows the test results and weights of the previous network", async () => {
    await until(() => page.test.value !== undefined && page.weights.value?.units === 8);
    const units: (number | undefined)[] = [];
    const tested: (number | undefined)[] = [];
    const parameters = page.prepared.value!.parameters;
    const before = page.test.value;
    const stop = page.curvesVersion.subscribe(() => {
      if (page.prepared.value!.parameters === parameters) return;
      units.push(page.weights.value?.units);
      tested.push(page.test.value === before ? NaN : page.test.value?.step);
    });
    await page.choose(wider);
    await until(() => page.test.value !== undefined && page.weights.value !== undefined);
    stop();
    expect(units[0]).toBeUndefined();
    expect(tested[0]).toBeUndefined();
    expect(units.filter((count) => count !== undefined && count !== 12)).toEqual([]);
    expect(tested).not.toContain(NaN);
  });

  test("drops the prediction of a drawing that was cleared, and that of a network that was replaced", async () => {
    const picture = () => new Uint8Array(784).fill(200);
    let answer = () => {};
    const hold = () => (answers = new Promise((resolve) => (answer = resolve)));
    hold();
    void page.predictDrawing(picture());
    await pass();
    void page.predictDrawing(undefined);
    answer();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(page.prediction.value).toBeUndefined();
    hold();
    void page.predictDrawing(picture());
    await pass();
    await page.reset();
    answer();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(page.prediction.value).toBeUndefined();
    answers = Promise.resolve();
    await page.predictDrawing(picture());
    expect(page.prediction.value!.probabilities).toHaveLength(10);
  });

  test("a new learning rate continues the training, and a new seed starts it over", async () => {
    await trains();
    page.edit({ learningRate: 0.001 });
    await until(() => page.prepared.value!.settings.learningRate === 0.001);
    expect(page.prepared.value!.step).toBeGreaterThan(0);
    page.edit({ seed: 4 });
    await until(() => page.prepared.value!.settings.seed === 4);
    expect(page.prepared.value).toMatchObject({ step: 0, origin: "drawn" });
    expect(page.prepared.value!.settings.learningRate).toBe(0.001);
    expect(page.running.value).toBe(true);
  });

  test("keeps changes that are made before and during a restart", async () => {
    page.edit({ seed: 5 });
    page.edit({ learningRate: 0.001 });
    const begun = page.reset();
    page.edit({ batchSize: 50 });
    await begun;
    expect(page.draft.value).toMatchObject({ batchSize: 50, seed: 5, learningRate: 0.001 });
    await until(() => page.prepared.value!.settings.batchSize === 50);
    expect(page.prepared.value!.settings).toMatchObject({ seed: 5, learningRate: 0.001 });
  });

  test("continues at the same epoch with a larger batch size", async () => {
    await trains();
    const { epoch } = page.progress.value!;
    page.edit({ batchSize: 1000 });
    await until(() => page.prepared.value!.settings.batchSize === 1000);
    const { step, totalSteps, stepsPerEpoch } = page.prepared.value!;
    expect(stepsPerEpoch).toBe(5);
    expect(totalSteps).toBeGreaterThan(step);
    expect(totalSteps - step).toBeLessThanOrEqual(5 * 30);
    await trains();
    expect(page.progress.value!.epoch).toBeGreaterThanOrEqual(epoch);
    expect(page.finished.value).toBe(false);
  });

  test("restarts for an address with other settings, and not for one with the same", async () => {
    const { value } = page.networkVersion;
    page.parseDigits(page.formatDigits());
    await trains();
    expect(page.networkVersion.value).toBe(value);
    const other = page.formatDigits();
    other.set("seed", "77");
    page.parseDigits(other);
    await until(() => page.prepared.value!.settings.seed === 77);
  });

  test("notes an address with invalid settings until a valid one is given", () => {
    page.notice.value = "Something else.";
    page.parseDigits(page.formatDigits());
    expect(page.notice.value).toBe("Something else.");
    const invalid = page.formatDigits();
    invalid.set("smoothing", "9");
    page.parseDigits(invalid);
    expect(page.notice.value).toMatch(/^The address contains unknown or invalid settings: smoothing=9\./);
    page.parseDigits(page.formatDigits());
    expect(page.notice.value).toBeUndefined();
  });

  test("refuses a file that is too large before reading it", async () => {
    const huge = { name: "film.mov", size: 3e9, arrayBuffer: () => expect.fail("the file was read") };
    await page.loadFile(huge as unknown as File);
    expect(page.fault.value).toBe("film.mov: the file is 3.00 GB. Choose a network of at most 268 MB.");
    expect(page.running.value).toBe(true);
  });
});

describe("the service", () => {
  test("keeps the network after a failed command, and reports the error to the request", async () => {
    const backend = createCpuBackend();
    const heard = listen(service(() => backend));
    await heard.command({ kind: "begin", settings: small, run: false });
    await heard.command({ kind: "load", bytes: new TextEncoder().encode("Dear network"), name: "letter.txt" });
    expect(heard.all("failed")).toEqual([
      { kind: "failed", message: expect.stringContaining("letter.txt") as string, deviceGone: false },
    ]);
    await heard.command({ kind: "step" });
    // Events of the old network now have the failed request as their subject, so the page does not drop them.
    expect(heard.events.filter(({ event }) => event.kind === "progress").map(({ stamp }) => stamp.subject)).toEqual([
      2,
    ]);
  });

  test("reports nothing about a network that is replaced during its creation", async () => {
    const backend = createCpuBackend();
    const heard = listen(service(() => backend));
    await Promise.all(
      [1, 2, 3, 4, 5].map((seed) => heard.command({ kind: "begin", settings: { ...small, seed }, run: true })),
    );
    expect(heard.all("prepared").map(({ settings }) => settings.seed)).toEqual([5]);
    await heard.reaches(3);
    await heard.pause();
  });

  test("saves the network, and a later visit continues with the same losses", async () => {
    vi.stubGlobal("indexedDB", new IDBFactory());
    const backend = createCpuBackend();
    const first = service(() => backend, browserNetworkStore());
    expect(await first.kept()).toBeUndefined();
    const heard = listen(first);
    await heard.command({ kind: "begin", settings: { ...small, schedule: "cosine" }, run: false });
    for (let step = 0; step < 3; step++) await heard.command({ kind: "step" });
    // The batch size changes in the middle of an epoch.
    await heard.command({ kind: "adjust", settings: { ...small, batchSize: 100 } });
    await heard.command({ kind: "step" });
    const second = await vi.waitFor(
      async () => {
        const visit = service(() => backend, browserNetworkStore());
        expect(await visit.kept()).toMatchObject({ step: 4 });
        return visit;
      },
      { timeout: 10_000 },
    );
    await heard.command({ kind: "step" });
    const expected = heard.all("progress").at(-1)!;

    const later = listen(second);
    await later.command({ kind: "begin", settings: wider, run: false });
    await later.command({ kind: "resume", from: "earlier", run: true });
    await later.reaches(5);
    await later.pause();
    const prepared = later.all("prepared").at(-1)!;
    expect(prepared).toMatchObject({ origin: "kept", step: 4, settings: { batchSize: 100, layers: small.layers } });
    const next = later.all("progress")[0]!;
    expect(next.losses[0]).toBe(expected.losses[0]);
    expect(next.learningRate).toBe(expected.learningRate);
    vi.unstubAllGlobals();
  });

  test("gives up a device that is lost twice within a minute, and continues on another backend", async () => {
    const lossy = losable(createCpuBackend());
    let backend: Backend = lossy.backend;
    const saved: number[] = [];
    const store: NetworkStore = { ...noStore, save: async ({ snapshot }) => void saved.push(snapshot.step) };
    const heard = listen(service(() => backend, store));
    await heard.command({ kind: "begin", settings: small, run: true });
    await until(() => saved.length > 0);
    lossy.lose();
    await until(() => heard.all("failed").length > 0);
    expect(heard.all("failed")[0]).toMatchObject({ deviceGone: true });
    backend = createCpuBackend();
    await heard.command({ kind: "resume", from: "present", run: true });
    const { origin, step } = heard.all("prepared").at(-1)!;
    expect(origin).toBe("kept");
    expect(step).toBe(saved.at(-1));
    await heard.reaches(step + 5);
    await heard.pause();
  });

  test("rejects a prediction that is interrupted by the loss of the device, without another unhandled rejection", async () => {
    const lossy = losable(createCpuBackend());
    const api = service(() => lossy.backend);
    const heard = listen(api);
    await heard.command({ kind: "begin", settings: small, run: false });
    const picture = new Uint8Array(784).fill(200);
    expect((await api.predict(picture)).probabilities).toHaveLength(10);
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", note);
    try {
      const asked = api.predict(picture);
      lossy.lose();
      await expect(asked).rejects.toThrow(DeviceLostError);
      await pass();
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", note);
    }
  });

  test("uses the built-in digits if MNIST is missing", async () => {
    vi.stubGlobal("fetch", async () => new Response("", { status: 404 }));
    const backend = createCpuBackend();
    const heard = listen(service(() => backend));
    await heard.command({ kind: "begin", settings: { ...small, data: "mnist" }, run: false });
    expect(heard.all("prepared")[0]).toMatchObject({ data: "built-in digits", mnistMissing: true });
    vi.unstubAllGlobals();
  });

  test("aborts a comparison when another command arrives", async () => {
    const backend: Backend = { ...createCpuBackend(), kind: "webgpu" };
    const api = service(() => backend);
    const heard = listen(api);
    await heard.command({ kind: "begin", settings: small, run: false });
    const compared = api.compare(100_000);
    await until(() => heard.all("status").at(-1)!.activity === "comparing");
    await heard.command({ kind: "step" });
    expect(await compared).toBeUndefined();
    expect(heard.step()).toBe(1);
  });
});

/** A backend whose work fails after `lose`, a read later than the run before it, as on a GPU. */
function losable(inner: Backend): { backend: Backend; lose(): void } {
  let isLost = false;
  const requireLive = () => {
    if (isLost) throw new DeviceLostError({ what: "the device was lost" });
  };
  const failing = (executable: Executable): Executable => ({
    ...executable,
    dispatches: executable.dispatches,
    run: async (first, count) => {
      await Promise.resolve();
      requireLive();
      return executable.run(first, count);
    },
    read: async (output) => {
      await pass();
      requireLive();
      return executable.read(output);
    },
  });
  const createSession = () => {
    const session = inner.createSession();
    return new Proxy(session, {
      get(target, name) {
        if (name === "compile")
          return async (graph: Parameters<typeof session.compile>[0]) => failing(await session.compile(graph));
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  return { backend: { ...inner, createSession }, lose: () => void (isLost = true) };
}
