/*
 * The settings of the Text tab, except what the network learns.
 */
import { BatchSize, LearningRate, Seed } from "../../shared/controls.tsx";
import { Select } from "../../shared/fields.tsx";
import { AtOnce, Expert, Restarting, SettingsPanel } from "../../shared/settings-panel.tsx";
import { Tools } from "../../shared/tools.tsx";
import { networkFields, trainingFields, type RunSettings } from "../settings.ts";
import { comparison, dispatches, settings } from "../state/index.ts";

const change = (changed: Partial<RunSettings>) => (settings.value = { ...settings.value, ...changed });

type ChoiceName = Exclude<keyof typeof networkFields, "data" | "seed">;

function Choice({ name, label }: { name: ChoiceName; label: string }) {
  return (
    <Select<number>
      label={label}
      testId={`text-${name}`}
      options={networkFields[name].values}
      value={settings.value[name]}
      onChange={(value) => change({ [name]: value })}
    />
  );
}

export function Settings() {
  const { data, rate, batch, seed } = settings.value;
  return (
    <SettingsPanel>
      <AtOnce>
        <LearningRate
          testId="text-rate"
          field={trainingFields.rate}
          value={rate}
          onChange={(value) => change({ rate: value })}
        />
        <BatchSize
          testId="text-batch"
          field={trainingFields.batch}
          value={batch}
          onChange={(value) => change({ batch: value })}
        />
      </AtOnce>
      <Restarting>
        <Choice name="layers" label="Layers" />
        <Choice name="heads" label="Heads" />
        <Choice name="width" label="Width" />
        {data === "own" && <Choice name="context" label="Context" />}
      </Restarting>
      <Expert>
        <Restarting>
          <Seed
            testId="text-seed"
            field={networkFields.seed}
            value={seed}
            onChange={(value) => change({ seed: value })}
          />
        </Restarting>
        <Tools prefix="text-" dispatches={dispatches} comparison={comparison} />
      </Expert>
    </SettingsPanel>
  );
}
