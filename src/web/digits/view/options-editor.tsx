import { fields, type scheduleNames } from "../settings.ts";
import { draft, edit } from "../state/index.ts";
import { NumberField, Select } from "../../shared/fields.tsx";

const titles = {
  constant: "constant",
  step: "step decay",
  exponential: "exponential decay",
  cosine: "cosine",
  warmup: "warm-up, cosine",
} as const satisfies Record<(typeof scheduleNames)[number], string>;

/** The settings that may change during training. */
export function OptionsEditor() {
  const { learningRate, schedule, batchSize, epochs } = draft.value;
  return (
    <section class="card" aria-label="Training options">
      <h2>Training</h2>
      <p class="quiet">Changes take effect immediately, without a restart.</p>
      <div class="fields">
        <NumberField
          label="Learning rate"
          testId="learning-rate"
          field={fields.learningRate}
          value={learningRate}
          onChange={(value) => edit({ learningRate: value })}
        />
        <Select
          label="Schedule"
          testId="schedule"
          options={fields.schedule.values}
          titles={titles}
          value={schedule}
          onChange={(name) => edit({ schedule: name })}
        />
        <NumberField
          label="Batch size"
          testId="batch-size"
          field={fields.batchSize}
          value={batchSize}
          onChange={(value) => edit({ batchSize: value })}
        />
        <NumberField
          label="Epochs"
          testId="epochs"
          field={fields.epochs}
          value={epochs}
          onChange={(value) => edit({ epochs: value })}
        />
      </div>
    </section>
  );
}
