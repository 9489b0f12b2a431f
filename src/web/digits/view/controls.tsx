/*
 * The buttons of the Digits tab.
 */
import { ShareButton } from "../../shared/share.tsx";
import {
  draftFaults,
  finished,
  loadFile,
  prepared,
  reset,
  running,
  saveFile,
  stepOnce,
  toggleRunning,
} from "../state/index.ts";
import { ActivityLine } from "./activity.tsx";

/** On a narrow window, the first row stays at the bottom of the window. */
export function Toolbar() {
  const ready = prepared.value !== undefined;
  const title = running.value ? "Pause" : finished.value ? "Train again" : "Start";
  return (
    <div class="toolbar" role="group" aria-label="Training">
      <div class="row main-buttons">
        <button
          type="button"
          class="primary"
          data-testid="start"
          disabled={!ready}
          onClick={toggleRunning}
          title="Shortcut: Space"
        >
          {title}
        </button>
        <button
          type="button"
          data-testid="step"
          disabled={!ready || running.value || finished.value}
          onClick={stepOnce}
          title="Shortcut: S"
        >
          Step
        </button>
        <button
          type="button"
          data-testid="reset"
          disabled={!ready || draftFaults.value.length > 0}
          onClick={reset}
          title="Shortcut: R"
        >
          Reset
        </button>
      </div>
      <Files ready={ready} />
      <ActivityLine />
    </div>
  );
}

function Files({ ready }: { ready: boolean }) {
  return (
    <div class="row files">
      <button type="button" data-testid="save" disabled={!ready} onClick={saveFile}>
        Save
      </button>
      <label class={ready ? "button" : "button disabled"}>
        Load
        <input
          type="file"
          class="hidden"
          data-testid="load"
          accept=".safetensors"
          disabled={!ready}
          onChange={({ currentTarget }) => {
            const file = currentTarget.files?.[0];
            currentTarget.value = "";
            if (file) void loadFile(file);
          }}
        />
      </label>
      <ShareButton testId="share" />
    </div>
  );
}
