/*
 * The settings of both networks of the Convolution tab.
 */
import { BatchSize, LearningRate, Seed } from "../../shared/controls.tsx";
import { Select } from "../../shared/fields.tsx";
import { AtOnce, Expert, Restarting, SettingsPanel } from "../../shared/settings-panel.tsx";
import { Tools } from "../../shared/tools.tsx";
import { trainingFields, type TrainingSettings } from "../settings.ts";
import { comparison, dispatches, training } from "../state/index.ts";

const change = (changed: Partial<TrainingSettings>) => (training.value = { ...training.value, ...changed });

export function Settings() {
  const { data, rate, batch, seed } = training.value;
  return (
    <SettingsPanel>
      <AtOnce>
        <LearningRate
          testId="convolution-rate"
          field={trainingFields.rate}
          value={rate}
          onChange={(value) => change({ rate: value })}
        />
        <BatchSize
          testId="convolution-batch"
          field={trainingFields.batch}
          value={batch}
          onChange={(value) => change({ batch: value })}
        />
      </AtOnce>
      <Restarting>
        <Select
          label="Data"
          layout="wide"
          testId="convolution-data"
          options={trainingFields.data.values}
          titles={{ auto: "MNIST if available", digits: "Built-in digits", mnist: "MNIST" }}
          value={data}
          onChange={(value) => change({ data: value })}
        />
      </Restarting>
      <Expert>
        <Restarting>
          <Seed
            testId="convolution-seed"
            field={trainingFields.seed}
            value={seed}
            onChange={(value) => change({ seed: value })}
          />
        </Restarting>
        <Tools prefix="convolution-" dispatches={dispatches} comparison={comparison} />
      </Expert>
    </SettingsPanel>
  );
}
