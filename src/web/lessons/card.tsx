/*
 * The lesson that the address names: its three steps, one at a time.
 */
import "./lessons.css";
import { effect, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { visit } from "../shared/address/history.ts";
import { CloseButton } from "../shared/close-button.tsx";
import { currentLesson, lessonView } from "./current.ts";
import type { Action, Lesson, Progress } from "./lesson.ts";
import { lessonHash, lessons } from "./list.ts";

export function LessonCard() {
  const name = currentLesson.value?.name;
  if (name === undefined) return null;
  const lesson = lessons.get(name);
  if (lesson) return <Card key={name} name={name} lesson={lesson} />;
  return (
    <p class="notice">
      There is no lesson {name}. Choose one from the list. <CloseButton close={leave} />
    </p>
  );
}

const leave = () => visit(() => (currentLesson.value = undefined));

/** Follows the visitor from when the card is shown until the action is done. */
function useProgress(lesson: Lesson) {
  const progress = useSignal<Progress>({ note: "" });
  useEffect(() => {
    lesson.begin();
    lessonView.value = lesson.View;
    const follow = lesson.follow();
    const stop = effect(() => {
      if (!("seen" in progress.peek())) progress.value = follow();
    });
    return () => {
      stop();
      lessonView.value = undefined;
    };
  }, []);
  return progress;
}

/** In such a window, the page's header would take the place of what the lesson is about: the lesson begins below it. */
const NARROW = "(max-width: 720px)";

const steps = ["Predict", "Do", "See"] as const;

function Card({ name, lesson }: { name: string; lesson: Lesson }) {
  const progress = useProgress(lesson).value;
  const { answer } = currentLesson.value!;
  const choice = answer === undefined ? undefined : lesson.choices[answer];
  const step = choice === undefined ? "Predict" : "seen" in progress ? "See" : "Do";
  const names = [...lessons.keys()];
  const number = names.indexOf(name) + 1;
  const card = useRef<HTMLElement>(null);
  useEffect(() => void (matchMedia(NARROW).matches && card.current!.scrollIntoView()), []);
  return (
    <section ref={card} class="card lesson" aria-labelledby="lesson-title" data-testid="lesson" data-step={step}>
      <div class="row lesson-head">
        <h2 id="lesson-title">
          <span class="quiet">
            Lesson {number} of {names.length}
          </span>{" "}
          {lesson.title}
        </h2>
        <ol class="lesson-steps">
          {steps.map((each) => (
            <li key={each} aria-current={each === step ? "step" : undefined}>
              {each}
            </li>
          ))}
        </ol>
        <NextLink after={number} names={names} isDone={step === "See"} />
        <button type="button" class="plain" data-testid="leave-lesson" aria-label="Leave the lesson" onClick={leave}>
          ✕
        </button>
      </div>
      {/* All steps take the same place, so that nothing moves when the next one appears. */}
      <div class="lesson-text">
        <p class={step === "Predict" ? "" : "away"}>{lesson.question}</p>
        <div class={step === "Do" ? "" : "away"}>
          <p>{lesson.act}</p>
          <p class="lesson-note" data-testid="lesson-note">
            {"note" in progress ? progress.note : ""}
          </p>
        </div>
        <div aria-live="polite" data-testid="lesson-seen">
          {step === "See" && "seen" in progress && (
            <p>
              <strong>{answer === progress.right ? "Your prediction was right." : `You predicted: ${choice}.`}</strong>{" "}
              {progress.seen}
            </p>
          )}
        </div>
      </div>
      {step === "Predict" ? <Choices lesson={lesson} /> : <Actions lesson={lesson} isDone={step === "See"} />}
      {step === "Do" && <style>{outlineOf(lesson.about)}</style>}
    </section>
  );
}

function NextLink({ after, names, isDone }: { after: number; names: readonly string[]; isDone: boolean }) {
  const next = names[after];
  if (next === undefined)
    return (
      <button type="button" class={isDone ? "primary" : ""} popovertarget="lessons" data-testid="all-lessons">
        All lessons
      </button>
    );
  return (
    <a class={isDone ? "button primary" : "button"} href={lessonHash(next)} data-testid="next-lesson">
      Next lesson
    </a>
  );
}

function Choices({ lesson }: { lesson: Lesson }) {
  return (
    <div class="row" role="group" aria-label="Your prediction">
      {lesson.choices.map((text, index) => (
        <button
          key={text}
          type="button"
          data-testid={`predict-${index + 1}`}
          onClick={() => (currentLesson.value = { ...currentLesson.value!, answer: index })}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

/**
 * The button to press next stands out, until the action is done. The first one gets the focus, which was on a choice, before
 * the next key can be pressed.
 */
function Actions({ lesson, isDone }: { lesson: Lesson; isDone: boolean }) {
  const row = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => row.current?.querySelector("button")?.focus({ preventScroll: true }), []);
  const pressed = useSignal<readonly Action[]>([]);
  const next = isDone ? undefined : lesson.actions.find((action) => !pressed.value.includes(action));
  const press = (action: Action) => {
    if (!action.isRepeated) pressed.value = [...pressed.value, action];
    action.run();
  };
  return (
    <div class="row" ref={row} role="group" aria-label="Actions">
      {lesson.actions.map((action, index) => (
        <button
          key={action.label}
          type="button"
          class={action === next ? "primary" : ""}
          data-testid={`lesson-action-${index + 1}`}
          onClick={() => press(action)}
        >
          {action.label}
        </button>
      ))}
    </div>
  );
}

/** Outlines what the action is about, wherever it is in the tab. */
const outlineOf = (testIds: readonly string[]): string =>
  `${testIds.map((id) => `[data-testid="${id}"]`).join()}{outline:2px dashed var(--accent-2);outline-offset:3px}`;
