/*
 * The worker's side of the Text tab. It trains a GPT and reports to one listener what it writes.
 */
import type { Backend, Snapshot } from "../../../index.ts";
import { Budget } from "../../digits/service/turns.ts";
import type { StepDispatches } from "../../shared/run-contract.ts";
import { RunService, type Beginning } from "../../shared/run-service.ts";
import { StepBudget } from "../../shared/training-loop.ts";
import type { Sample, TextApi, TextEvent, TextRunSettings } from "../contract.ts";
import { fallbackView, networkFields } from "../settings.ts";
import { Run } from "./run.ts";

/** The parts of the time spent on samples and tests, and the least time between two. */
const SAMPLES = { share: 0.2, milliseconds: 1000 };
const TESTS = { share: 0.1, milliseconds: 1000 };

/** The time over which training losses are averaged for a point of the curve. */
const PROGRESS_MILLISECONDS = 250;

export const createTextService = (getBackend: () => Promise<Backend>): TextApi => new TextService(getBackend);

class TextService extends RunService<TextRunSettings, Snapshot, TextEvent> implements TextApi {
  #run: Run | undefined;
  #temperature = fallbackView.temperature;
  #steps = new StepBudget();
  #samples = new Budget(SAMPLES.share, SAMPLES.milliseconds);
  #tests = new Budget(TESTS.share, TESTS.milliseconds);
  #progress = new Progress();

  async setTemperature(request: number, temperature: number): Promise<void> {
    this.received(request);
    this.#temperature = temperature;
    await this.loop.inTurn(async () => {
      // While training runs, the next sample follows soon.
      if (this.#temperature === temperature && !this.loop.isActive) await this.#showSample();
    });
  }

  protected async begin({ settings, backend, resumeFrom }: Beginning<TextRunSettings, Snapshot>): Promise<void> {
    this.#run?.dispose();
    this.#run = undefined;
    this.#steps = new StepBudget();
    this.#progress = new Progress();
    const onRecovery = ({ reason }: { readonly reason: string }) => this.send({ kind: "recovery", reason });
    const run = (this.#run = await Run.create({ backend, settings, resumeFrom, onRecovery }));
    this.send({ kind: "prepared", fresh: resumeFrom === undefined, ...run.prepared });
    // The first sample and the first test compile their graphs, so their time does not delay the next ones.
    await this.#showSample();
    await this.#showTest();
    this.#samples = new Budget(SAMPLES.share, SAMPLES.milliseconds);
    this.#tests = new Budget(TESTS.share, TESTS.milliseconds);
  }

  async dispatches(): Promise<readonly StepDispatches[]> {
    return this.#run?.dispatches ?? [];
  }

  protected get apart() {
    return this.#run?.apart;
  }

  protected override canContinue(before: TextRunSettings, after: TextRunSettings): boolean {
    const names = Object.keys(networkFields) as (keyof typeof networkFields)[];
    return before.text === after.text && names.every((name) => before[name] === after[name]);
  }

  protected async train(): Promise<void> {
    const run = this.#run;
    if (!run) return;
    const before = run.step;
    const began = performance.now();
    await this.#steps.spend(Infinity, async (steps) => this.#progress.add(steps, await run.advance(steps)));
    this.#progress.spent((run.step - before) * run.tokensPerStep, performance.now() - began);
    if (this.#progress.isDue) this.#showProgress();
    if (this.#tests.isDue) await this.#tests.spend(() => this.#showTest());
    if (this.#samples.isDue) await this.#samples.spend(() => this.#showSample());
  }

  protected async trainOneStep(): Promise<void> {
    const run = this.#run;
    if (!run) return;
    const began = performance.now();
    this.#progress.add(1, await run.advance(1));
    this.#progress.spent(run.tokensPerStep, performance.now() - began);
    await this.showAll();
  }

  protected async showAll(): Promise<void> {
    this.#showProgress();
    await this.#showSample();
    await this.#showTest();
  }

  protected async snapshot(): Promise<Snapshot | undefined> {
    return this.#run?.snapshot();
  }

  #showProgress(): void {
    const run = this.#run;
    const progress = run && this.#progress.take();
    if (progress) this.send({ kind: "progress", step: run.step, ...progress });
  }

  async #showSample(): Promise<void> {
    const sample = await this.#run?.sample(this.#temperature);
    if (sample) this.send({ kind: "sample", sample }, buffersOf(sample));
  }

  async #showTest(): Promise<void> {
    const run = this.#run;
    if (run) this.send({ kind: "test", step: run.step, ...(await run.test()) });
  }
}

/** The mean loss and the speed of the steps since the last report. */
class Progress {
  #steps = 0;
  #loss = 0;
  #tokens = 0;
  #milliseconds = 0;
  #due = performance.now() + PROGRESS_MILLISECONDS;

  get isDue(): boolean {
    return performance.now() >= this.#due;
  }

  add(steps: number, meanLoss: number): void {
    this.#steps += steps;
    this.#loss += steps * meanLoss;
  }

  spent(tokens: number, milliseconds: number): void {
    this.#tokens += tokens;
    this.#milliseconds += milliseconds;
  }

  /** The report, after which the next one begins; undefined without steps. */
  take(): { readonly loss: number; readonly tokensPerSecond: number } | undefined {
    if (this.#steps === 0) return undefined;
    const report = { loss: this.#loss / this.#steps, tokensPerSecond: (1000 * this.#tokens) / this.#milliseconds };
    this.#steps = this.#loss = this.#tokens = this.#milliseconds = 0;
    this.#due = performance.now() + PROGRESS_MILLISECONDS;
    return report;
  }
}

const buffersOf = ({ tokens, logits, attention, vectors, answers }: Sample): ArrayBuffer[] =>
  [tokens, logits, ...attention, vectors, ...(answers ? [answers] : [])].map(({ buffer }) => buffer as ArrayBuffer);
