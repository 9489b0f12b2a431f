import { currentLesson } from "./current.ts";
import { lessonHash, lessons } from "./list.ts";

/** Links to all lessons. */
export function LessonList() {
  const close = () => document.getElementById("lessons")?.hidePopover();
  return (
    <nav aria-labelledby="lessons-title">
      <h2 id="lessons-title">Lessons</h2>
      <p class="quiet">A minute each: predict something, try it, and see.</p>
      <ol>
        {[...lessons].map(([name, { title }]) => (
          <li key={name}>
            <a
              href={lessonHash(name)}
              data-testid={`lesson-${name}`}
              aria-current={currentLesson.value?.name === name}
              onClick={close}
            >
              {title}
            </a>
          </li>
        ))}
      </ol>
    </nav>
  );
}
