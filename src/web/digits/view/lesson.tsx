import { visit } from "../../shared/address/history.ts";
import { lessons } from "../lessons.ts";
import { viewOptions } from "../state/index.ts";

/** A link to the first lesson. */
export function LessonLink() {
  if (viewOptions.value.lesson !== "none") return null;
  const { title, hash } = lessons.templates;
  return (
    <p class="quiet">
      New to this?{" "}
      <a href={`#${hash}&lesson=templates`} data-testid="first-lesson">
        {title}
      </a>
    </p>
  );
}

/** The lesson that the address names. */
export function LessonCard() {
  const name = viewOptions.value.lesson;
  if (name === "none") return null;
  const { title, predict, act, see } = lessons[name];
  return (
    <section class="lesson" aria-label={title} data-testid="lesson">
      <div class="row spread">
        <h2>{title}</h2>
        <button
          type="button"
          data-testid="leave-lesson"
          onClick={() => visit(() => (viewOptions.value = { ...viewOptions.value, lesson: "none" }))}
        >
          Leave the lesson
        </button>
      </div>
      <dl>
        <div>
          <dt>Predict</dt>
          <dd>{predict}</dd>
        </div>
        <div>
          <dt>Do</dt>
          <dd>{act}</dd>
        </div>
        <div>
          <dt>See</dt>
          <dd>{see}</dd>
        </div>
      </dl>
    </section>
  );
}
