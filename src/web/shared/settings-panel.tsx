/*
 * The panel of settings of a tab. It says which ones take effect at once, and which ones restart the training.
 */
import "./settings-panel.css";
import { signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { changeDevice, device } from "../link.ts";
import { Select } from "./fields.tsx";
import { deviceNames } from "./names.ts";

interface Parts {
  readonly children: ComponentChildren;
}

export function SettingsPanel({ children }: Parts) {
  return (
    <section class="card settings" aria-labelledby="settings-title">
      <h2 id="settings-title">Settings</h2>
      {children}
    </section>
  );
}

/** Settings with which the training continues. */
export const AtOnce = ({ children }: Parts) => <Group legend="Take effect at once">{children}</Group>;

/** Settings that need new weights. */
export const Restarting = ({ children }: Parts) => <Group legend="Restart the training">{children}</Group>;

const Group = ({ legend, children }: Parts & { readonly legend: string }) => (
  <fieldset class="setting-group">
    <legend class="quiet">{legend}</legend>
    <div class="fields">{children}</div>
  </fieldset>
);

/** Whether the drawer is open, on every tab. */
const isOpen = signal(false);

/**
 * What most visitors do not need: the device, and settings and tools of the tab.
 * @param atOnce settings of the tab that take effect at once, as the device does
 */
export function Expert({ atOnce, children }: Parts & { readonly atOnce?: ComponentChildren }) {
  return (
    <details class="expert" open={isOpen.value} onToggle={({ currentTarget }) => (isOpen.value = currentTarget.open)}>
      <summary data-testid="expert">Expert</summary>
      <AtOnce>
        <DeviceChoice />
        {atOnce}
      </AtOnce>
      {children}
    </details>
  );
}

interface ToolButtonsProps {
  /** Precedes the test IDs: "convolution-". */
  readonly prefix: string;
  readonly showKernels: () => unknown;
  readonly showComparison: () => unknown;
}

/** The tools in the drawer. */
export function ToolButtons({ prefix, showKernels, showComparison }: ToolButtonsProps) {
  return (
    <div class="row">
      <button type="button" data-testid={`${prefix}show-kernels`} onClick={showKernels}>
        Kernels of a step
      </button>
      <button type="button" data-testid={`${prefix}show-comparison`} onClick={showComparison}>
        Compare GPU and CPU
      </button>
    </div>
  );
}

type Kind = Exclude<(typeof deviceNames)[number], "auto">;

const kinds = deviceNames.filter((name) => name !== "auto");

const kindTitles: Record<Kind, string> = {
  webgpu: "GPU (WebGPU)",
  wasm: "CPU (WebAssembly)",
  cpu: "CPU (reference, slow)",
};

/** All tabs use the chosen device, and continue with their last saved networks. */
function DeviceChoice() {
  const isBusy = useSignal(false);
  const fault = useSignal<string | undefined>(undefined);
  const choose = async (kind: Kind) => {
    isBusy.value = true;
    fault.value = await changeDevice(kind);
    isBusy.value = false;
  };
  return (
    <div class="wide" aria-busy={isBusy.value}>
      <Select
        label="Device of all tabs"
        testId="device-choice"
        options={kinds}
        titles={kindTitles}
        // A refused choice is replaced by the device in use.
        key={`${device.value?.kind} ${fault.value}`}
        value={(device.value?.kind ?? "webgpu") as Kind}
        onChange={choose}
      />
      <p class="out-of-range" role="alert" data-testid="device-fault">
        {fault.value}
      </p>
    </div>
  );
}
