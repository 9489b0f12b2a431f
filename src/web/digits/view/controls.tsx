/*
 * The buttons of the Digits tab.
 */
import { RunButtons } from "../../shared/run-view.tsx";
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

export function Toolbar() {
  const ready = prepared.value !== undefined;
  return (
    <div class="toolbar">
      <RunButtons
        prefix=""
        running={running.value}
        commands={{ toggle: toggleRunning, step: stepOnce, reset }}
        startText={finished.value ? "Train again" : "Start"}
        disabled={{
          start: !ready,
          step: !ready || running.value || finished.value,
          reset: !ready || draftFaults.value.length > 0,
        }}
      />
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
