/*
 * The settings of the Text tab, except what the network learns.
 */
import { NumberField, Select } from "../../shared/fields.tsx";
import { networkFields, runFields, type RunSettings } from "../settings.ts";
import { settings } from "../state/index.ts";

const change = (changed: Partial<RunSettings>) => (settings.value = { ...settings.value, ...changed });

type ChoiceName = Exclude<keyof RunSettings, "data" | "seed">;

function Choice({ name, label }: { name: ChoiceName; label: string }) {
  return (
    <Select<number>
      label={label}
      testId={`text-${name}`}
      options={runFields[name].values}
      value={settings.value[name]}
      onChange={(value) => change({ [name]: value })}
    />
  );
}

export function SettingsCard() {
  const isOwn = settings.value.data === "own";
  return (
    <section class="card text-settings" aria-labelledby="text-settings-title">
      <h2 id="text-settings-title">Settings</h2>
      <fieldset>
        <legend class="quiet">A change restarts</legend>
        <div class="text-fields">
          <Choice name="layers" label="Layers" />
          <Choice name="heads" label="Heads" />
          <Choice name="width" label="Width" />
          {isOwn && <Choice name="context" label="Context" />}
          <NumberField
            label="Seed"
            testId="text-seed"
            field={networkFields.seed}
            value={settings.value.seed}
            onChange={(seed) => change({ seed })}
          />
        </div>
      </fieldset>
      <fieldset>
        <legend class="quiet">Takes effect at once</legend>
        <div class="text-fields">
          <Choice name="rate" label="Learning rate" />
          <Choice name="batch" label="Batch size" />
        </div>
      </fieldset>
    </section>
  );
}
