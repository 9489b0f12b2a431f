/*
 * The Playground's part of the drawer for experts: the loss, the seed, and the tools.
 */
import { Loss, Seed } from "../../shared/controls.tsx";
import { Expert, Restarting } from "../../shared/settings-panel.tsx";
import { Tools } from "../../shared/tools.tsx";
import { classifyFields, modes, regressFields } from "../settings.ts";
import { change, comparison, dispatches, playgroundState } from "../state/index.ts";

export function ExpertSettings() {
  const state = playgroundState.value;
  const { mode } = state;
  return (
    <section class="card settings" aria-label="More settings">
      <Expert atOnce={<LossChoice />}>
        <Restarting>
          <Seed
            testId="playground-seed"
            field={modes[mode].seed}
            value={state[mode].seed}
            onChange={(seed) => change(mode, { seed })}
          />
        </Restarting>
        <Tools prefix="playground-" dispatches={dispatches} comparison={comparison} />
      </Expert>
    </section>
  );
}

/** The loss of a network. A neuron's follows from its rule, and that of a surface from its model. */
function LossChoice() {
  const { mode, classify, regress } = playgroundState.value;
  const testId = "playground-loss-function";
  if (mode === "classify")
    return (
      <div class="wide">
        <Loss
          testId={testId}
          options={classifyFields.loss.values}
          value={classify.loss}
          onChange={(loss) => change(mode, { loss })}
        />
        <p class="playground-note">Softmax has two outputs, so it restarts the training.</p>
      </div>
    );
  if (mode !== "regress") return null;
  return (
    <Loss
      testId={testId}
      options={regressFields.loss.values}
      value={regress.loss}
      onChange={(loss) => change(mode, { loss })}
    />
  );
}
