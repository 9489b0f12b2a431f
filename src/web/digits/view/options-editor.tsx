import { ranges, type scheduleNames } from "../settings.ts";
import { draft, edit } from "../state/index.ts";
import { Choice, SettingField } from "./fields.tsx";

const titles = {
  constant: "constant",
  step: "steps",
  exponential: "exponential",
  cosine: "cosine",
  warmup: "warm-up, cosine",
} as const satisfies Record<(typeof scheduleNames)[number], string>;

/** What may change while the network learns. */
export function OptionsEditor() {
  const { learningRate, schedule, batchSize, epochs } = draft.value;
  return (
    <section class="card" aria-label="Training options">
      <h2>Training</h2>
      <p class="quiet">Changes here take effect at once; learning goes on.</p>
      <div class="fields">
        <SettingField label="Learning rate" value={learningRate} range={ranges.learningRate} step="any" change={(value) => edit({ learningRate: value })} testId="learning-rate" />
        <Choice label="Schedule" value={schedule} options={titles} choose={(name) => edit({ schedule: name })} testId="schedule" />
        <SettingField label="Batch size" value={batchSize} range={ranges.batchSize} step={1} change={(value) => edit({ batchSize: value })} testId="batch-size" />
        <SettingField label="Epochs" value={epochs} range={ranges.epochs} step={1} change={(value) => edit({ epochs: value })} testId="epochs" />
      </div>
    </section>
  );
}
