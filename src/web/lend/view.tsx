/*
 * The view of the page at `?lend`.
 */
import { useSignal } from "@preact/signals";
import { Select } from "../shared/fields.tsx";
import type { OfferedRun } from "./contract.ts";
import {
  activity,
  connect,
  device,
  given,
  hiddenSeconds,
  join,
  joined,
  message,
  runs,
  stop,
  tabName,
} from "./state.ts";

interface ViewProps {
  /** The address and the run that the page's own address proposes. */
  readonly address: string;
  readonly run: string;
}

export function LendView({ address, run }: ViewProps) {
  const isLending = activity.value === "fetching" || activity.value === "waiting" || activity.value === "training";
  return (
    <section class="card lend" aria-label="Lend this tab">
      <h2>Lend this tab to a training run</h2>
      <p>
        If someone trains a model with <code>wgrad train --nats … --browsers</code>, ask them for the address of the
        server. This tab then trains parts of the run on your device, as one of its workers. It sends only the changes
        that it trained, and stops when you press Stop or close the tab.
      </p>
      <ServerForm address={address} isDisabled={isLending || activity.value === "connecting" || !device.value} />
      {!isLending && runs.value && <RunForm offered={runs.value} proposed={run} />}
      {message.value && (
        <p class={message.value.kind === "error" ? "fault" : "quiet"} role="status" data-testid="lend-message">
          {message.value.text}
        </p>
      )}
      {joined.value !== undefined && <Progress run={joined.value} />}
      {isLending && (
        <button class="primary" data-testid="lend-stop" onClick={() => void stop()}>
          Stop
        </button>
      )}
      <p class="quiet">
        Browsers slow down tabs in the background, and may suspend them: keep this tab visible.
        {hiddenSeconds.value >= 1 && (
          <strong data-testid="lend-hidden"> It was in the background for {Math.round(hiddenSeconds.value)} s.</strong>
        )}
      </p>
    </section>
  );
}

interface TextFieldProps {
  readonly label: string;
  readonly testId: string;
  readonly isSecret?: boolean;
  readonly value: string;
  readonly placeholder?: string;
  readonly onInput: (value: string) => void;
}

function TextField({ label, testId, isSecret = false, value, placeholder, onInput }: TextFieldProps) {
  const attributes = {
    "data-testid": testId,
    value,
    placeholder,
    autocomplete: "off",
    spellcheck: false,
    onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => onInput(currentTarget.value),
  };
  return (
    <label class="field">
      <span>{label}</span>
      {isSecret ? <input type="password" {...attributes} /> : <input type="text" {...attributes} />}
    </label>
  );
}

function ServerForm({ address, isDisabled }: { address: string; isDisabled: boolean }) {
  const [server, user, secret] = [useSignal(address), useSignal(""), useSignal("")];
  const take = () => void connect({ address: server.value, user: user.value, secret: secret.value });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        take();
      }}
    >
      <fieldset class="row" disabled={isDisabled}>
        <legend class="hidden">Server</legend>
        <TextField
          label="Address of the server"
          testId="lend-address"
          value={server.value}
          placeholder="wss://server.example:443"
          onInput={(value) => (server.value = value)}
        />
        <TextField
          label="User (none for a token)"
          testId="lend-user"
          value={user.value}
          onInput={(value) => (user.value = value)}
        />
        <TextField
          label="Password or token"
          testId="lend-secret"
          isSecret
          value={secret.value}
          onInput={(value) => (secret.value = value)}
        />
        <button type="submit" data-testid="lend-connect">
          {activity.value === "connecting" ? "Connecting …" : "List runs"}
        </button>
      </fieldset>
    </form>
  );
}

function RunForm({ offered, proposed }: { offered: readonly OfferedRun[]; proposed: string }) {
  const open = offered.filter(({ obstacle }) => obstacle === undefined).map(({ name }) => name);
  const chosen = useSignal(open.includes(proposed) ? proposed : open[0]);
  const titles = Object.fromEntries(
    offered.map(({ name, workers, innerSteps }) => [name, `${name}: ${workers} workers, ${innerSteps} steps a round`]),
  );
  return (
    <div class="row">
      {offered.length === 0 && <p data-testid="lend-none">No run is open on this server.</p>}
      {chosen.value !== undefined && (
        <>
          <Select
            label="Run"
            testId="lend-run"
            options={open}
            titles={titles}
            value={chosen.value}
            onChange={(name) => (chosen.value = name)}
          />
          <button class="primary" data-testid="lend-join" onClick={() => void join(chosen.value!)}>
            Join
          </button>
        </>
      )}
      <ul class="quiet">
        {offered.map(
          ({ name, obstacle }) =>
            obstacle !== undefined && (
              <li key={name} data-testid="lend-obstacle">
                This page cannot join run {name}: {obstacle}.
              </li>
            ),
        )}
      </ul>
    </div>
  );
}

const activityTexts = {
  idle: "not lending",
  connecting: "not lending",
  fetching: "fetching the model and the data",
  waiting: "waiting for the first part of a round",
  training: "training",
} as const;

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

function Progress({ run }: { run: string }) {
  const { rounds, examples, loss, sent, received } = given.value;
  const facts: readonly (readonly [name: string, testId: string, value: string])[] = [
    ["Run", "lend-joined", run],
    ["This tab", "lend-activity", `${tabName}, ${activityTexts[activity.value]}`],
    ["Rounds", "lend-rounds", String(rounds)],
    ["Examples given", "lend-examples", examples.toLocaleString("en")],
    ["Training loss", "lend-loss", Number.isNaN(loss) ? "–" : loss.toFixed(4)],
    ["Sent", "lend-sent", megabytes(sent)],
    ["Received", "lend-received", megabytes(received)],
  ];
  return (
    <dl class="numbers">
      {facts.map(([name, testId, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd data-testid={testId}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
