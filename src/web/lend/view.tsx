/*
 * The view of the page at `?lend`.
 */
import { useSignal } from "@preact/signals";
import { Select } from "../shared/fields.tsx";
import type { Offers } from "./contract.ts";
import {
  activity,
  connect,
  device,
  given,
  hiddenSeconds,
  joined,
  lend,
  message,
  offers,
  stop,
  tabName,
  type Work,
} from "./state.ts";

interface ViewProps {
  /** The address and the run that the page's own address proposes. */
  readonly address: string;
  readonly run: string;
}

export function LendView({ address, run }: ViewProps) {
  const isLending = activity.value !== "idle" && activity.value !== "connecting";
  return (
    <section class="card lend" aria-label="Lend this tab">
      <h2>Lend this tab to a training run</h2>
      <p>
        If someone trains models with <code>wgrad train --nats … --browsers</code> or{" "}
        <code>wgrad sweep --nats … --browsers</code>, ask them for the address of the server. This tab then trains parts
        of a run, or trials of sweeps, on your device. It sends only what it trained, and stops when you press Stop or
        close the tab.
      </p>
      <ServerForm address={address} isDisabled={isLending || activity.value === "connecting" || !device.value} />
      {!isLending && offers.value && <OfferForm offers={offers.value} proposed={run} />}
      {message.value && (
        <p class={message.value.kind === "error" ? "fault" : "quiet"} role="status" data-testid="lend-message">
          {message.value.text}
        </p>
      )}
      {joined.value !== undefined && <Progress work={joined.value} />}
      {isLending && (
        <button
          class="primary"
          data-testid="lend-stop"
          disabled={activity.value === "leaving"}
          onClick={() => void stop()}
        >
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

/** The choice that stands for trials. The names of runs are digests. */
const TRIALS = "trials";

function OfferForm({ offers: { runs, trials }, proposed }: { offers: Offers; proposed: string }) {
  const open = runs.filter(({ obstacle }) => obstacle === undefined).map(({ name }) => name);
  const choices = trials === undefined ? open : [...open, TRIALS];
  const chosen = useSignal(open.includes(proposed) ? proposed : choices[0]);
  const titles = {
    ...Object.fromEntries(
      runs.map(({ name, workers, innerSteps }) => [name, `${name}: ${workers} workers, ${innerSteps} steps a round`]),
    ),
    [TRIALS]: `Trials of sweeps: ${trials} to do`,
  };
  const start = () => void lend(chosen.value === TRIALS ? { kind: TRIALS } : { kind: "run", name: chosen.value! });
  return (
    <div class="row">
      {runs.length === 0 && trials === undefined && <p data-testid="lend-none">No run is open on this server.</p>}
      {chosen.value !== undefined && (
        <>
          <Select
            label="Run"
            testId="lend-run"
            options={choices}
            titles={titles}
            value={chosen.value}
            onChange={(name) => (chosen.value = name)}
          />
          <button class="primary" data-testid="lend-join" onClick={start}>
            Join
          </button>
        </>
      )}
      <ul class="quiet">
        {runs.map(
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
  waiting: "waiting for work",
  training: "training",
  leaving: "giving the trial back",
} as const;

const sizeText = (bytes: number) => (bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

const lossText = (loss: number | null) => (loss === null || Number.isNaN(loss) ? "–" : loss.toFixed(4));

type Fact = readonly [name: string, testId: string, value: string];

/** What the tab has done for a run, or for sweeps. */
function factsOf(work: Work): readonly Fact[] {
  const { rounds, examples, loss, trials, score, trial, step, totalSteps } = given.value;
  const trainingLoss: Fact = ["Training loss", "lend-loss", lossText(loss)];
  if (work.kind === "run")
    return [
      ["Run", "lend-joined", work.name],
      ["Rounds", "lend-rounds", String(rounds)],
      ["Examples given", "lend-examples", examples.toLocaleString("en")],
      trainingLoss,
    ];
  const ofAll = totalSteps > 0 ? ` of ${totalSteps.toLocaleString("en")}` : "";
  return [
    ["Trial", "lend-joined", trial === "" ? "–" : trial],
    ["Step", "lend-step", `${step.toLocaleString("en")}${ofAll}`],
    trainingLoss,
    ["Trials finished", "lend-trials", String(trials)],
    ["Last validation loss", "lend-score", lossText(score)],
  ];
}

function Progress({ work }: { work: Work }) {
  const { sent, received } = given.value;
  const facts: readonly Fact[] = [
    ["This tab", "lend-activity", `${tabName}, ${activityTexts[activity.value]}`],
    ...factsOf(work),
    ["Sent", "lend-sent", sizeText(sent)],
    ["Received", "lend-received", sizeText(received)],
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
