/*
 * The worker's side of the Convolution tab. It trains two networks and reports to one listener what they compute for the
 * picture.
 */
import type { Backend, Snapshot } from "../../../index.ts";
import { loadData } from "../../digits/service/data.ts";
import { Budget } from "../../digits/service/turns.ts";
import type { StepDispatches } from "../../shared/run-contract.ts";
import { RunService, type Beginning } from "../../shared/run-service.ts";
import { StepBudget } from "../../shared/training-loop.ts";
import type { ConvolutionApi, ConvolutionEvent, Frame, Pair, Subject } from "../contract.ts";
import { fallbackSubject, type TrainingSettings } from "../settings.ts";
import { PICTURE_SIDE } from "../stages.ts";
import { samplesOf, shifted } from "./pictures.ts";
import { Run } from "./run.ts";

/** The parts of the time spent on the predictions at every shift and on test images, and the least time between two. */
const SHIFTS = { share: 0.1, milliseconds: 300 };
const ACCURACY = { share: 0.1, milliseconds: 1000 };

export interface ServiceOptions {
  /** Called with the first settings; the backend is shared with the other tabs. */
  readonly getBackend: () => Promise<Backend>;
  /** The page's address, beside which MNIST is looked for. */
  readonly getPage: () => string;
}

export function createConvolutionService({ getBackend, getPage }: ServiceOptions): ConvolutionApi {
  return new ConvolutionService(getBackend, getPage);
}

class ConvolutionService
  extends RunService<TrainingSettings, Pair<Snapshot>, ConvolutionEvent>
  implements ConvolutionApi
{
  readonly #getPage: () => string;
  #run: Run | undefined;
  #samples: Uint8Array | undefined;
  #seen: Subject = fallbackSubject;
  #steps = new StepBudget();
  #shifts = new Budget(SHIFTS.share, SHIFTS.milliseconds);
  #accuracy = new Budget(ACCURACY.share, ACCURACY.milliseconds);
  /** Whether the networks have been tested. */
  #isTested = false;

  constructor(getBackend: () => Promise<Backend>, getPage: () => string) {
    super(getBackend);
    this.#getPage = getPage;
  }

  async look(request: number, subject: Subject): Promise<void> {
    this.received(request);
    this.#seen = subject;
    this.showSoon();
    await this.loop.inTurn(async () => {
      // While training runs, the next frame follows soon.
      if (this.#seen !== subject || this.loop.isActive) return;
      await this.#showPicture();
    });
  }

  protected async begin({ settings, backend, resumeFrom }: Beginning<TrainingSettings, Pair<Snapshot>>): Promise<void> {
    this.#run?.dispose();
    this.#run = undefined;
    this.#steps = new StepBudget();
    this.#isTested = false;
    const onRecovery = ({ reason }: { readonly reason: string }) => this.send({ kind: "recovery", reason });
    const data = await loadData(settings.data, this.#getPage());
    const run = (this.#run = await Run.create({ backend, data, settings, resumeFrom, onRecovery }));
    const { parameters, trainingExamples } = run;
    const samples = (this.#samples = samplesOf(data.test));
    const fresh = resumeFrom === undefined;
    this.send({ kind: "prepared", fresh, data: data.name, trainingExamples, parameters, samples });
    await this.#showPicture();
  }

  async dispatches(): Promise<readonly StepDispatches[]> {
    return this.#run?.dispatches ?? [];
  }

  protected get apart() {
    return this.#run?.apart;
  }

  protected override canContinue(before: TrainingSettings, after: TrainingSettings): boolean {
    return before.data === after.data && before.seed === after.seed;
  }

  protected async train(): Promise<void> {
    const run = this.#run;
    if (!run) return;
    await this.#steps.spend(Infinity, (steps) => run.advance(steps));
    if (this.isFrameDue()) await this.#showFrame();
    if (this.#shifts.isDue) await this.#shifts.spend(() => this.#showShifts());
    await this.#testIfDue();
  }

  protected async trainOneStep(): Promise<void> {
    await this.#run?.advance(1);
    await this.#showPicture();
    await this.#testIfDue();
  }

  protected async showAll(): Promise<void> {
    await this.#showPicture();
    await this.#showAccuracy();
  }

  protected async snapshot(): Promise<Pair<Snapshot> | undefined> {
    return this.#run?.snapshot();
  }

  /** Tests the networks if it is time. The first test compiles its graphs, so its time does not delay the next one. */
  async #testIfDue(): Promise<void> {
    if (this.#isTested && !this.#accuracy.isDue) return;
    await this.#accuracy.spend(() => this.#showAccuracy());
    if (!this.#isTested) this.#accuracy = new Budget(ACCURACY.share, ACCURACY.milliseconds);
    this.#isTested = true;
  }

  /** Shows all that the networks compute for the picture. */
  async #showPicture(): Promise<void> {
    await this.#showFrame();
    await this.#showShifts();
  }

  async #showFrame(): Promise<void> {
    const frame = await this.#run?.frame(shifted(this.#picture(), this.#seen.shift));
    if (frame) this.send({ kind: "frame", frame }, buffersOf(frame));
  }

  async #showShifts(): Promise<void> {
    const found = await this.#run?.shifts(this.#picture());
    if (found) this.send({ kind: "shifts", ...found });
  }

  async #showAccuracy(): Promise<void> {
    const found = await this.#run?.accuracy();
    if (found) this.send({ kind: "accuracy", ...found });
  }

  /** The drawing, or a test image. */
  #picture(): Uint8Array {
    const { drawn, digit } = this.#seen;
    const size = PICTURE_SIDE ** 2;
    return drawn ?? this.#samples?.subarray(digit * size, (digit + 1) * size) ?? new Uint8Array(size);
  }
}

const buffersOf = ({ picture, maps, filters }: Frame): ArrayBuffer[] =>
  [picture, ...maps, ...filters.flatMap(({ weights, biases }) => [weights, biases])].map(
    ({ buffer }) => buffer as ArrayBuffer,
  );
