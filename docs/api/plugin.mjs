/*
 * A plugin for TypeDoc. It sorts exported names into topics by the folder that declares them, so that `src` needs no tags,
 * and names each document after its heading instead of its file.
 */
import { Comment, CommentTag, Converter, ReflectionKind } from "typedoc";

/** Topics by the path below `src` and the name. The first match counts. */
const topics = [
  [/^graph\//, "Graph"],
  [/^ops\//, "Ops and gradients"],
  [/^nn\/(optimizers?|adam|muon|momentum-form|schedules|clipping|packed)/, "Optimizers and schedules"],
  [/^nn\/augmentation/, "Training"],
  [/^nn\//, "Layers and models"],
  [/^(data\/text\/|train\/(generate\/|answers|next-token)|node\/text)/, "Text"],
  [/^train\//, "Training"],
  [/^(data|node\/(csv|mnist|png))/, "Data"],
  [/^node\/(dawn|tuning-store)|createNodeBackend|dawnGpu|NodeBackendOptions/, "Backends"],
  [/^(formats|node)\//, "Files"],
  [/^(backends|compiler|device)\//, "Backends"],
  [/^/, "Errors and random numbers"],
];

export function load(application) {
  application.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
      for (const reflection of module.children ?? []) putUnderTopic(project, reflection);
    }
  });
  application.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    const [first] = document.content;
    const [heading, title] = /^# (.*)\n/.exec(first?.text ?? "") ?? [];
    if (heading === undefined) return;
    document.name = title;
    // The template shows the name above the text.
    first.text = first.text.slice(heading.length);
  });
}

function putUnderTopic(project, reflection) {
  const path = project.getSymbolIdFromReflection(reflection)?.fileName.split("/src/").at(-1);
  if (path === undefined) return;
  const [, topic] = topics.find(([pattern]) => pattern.test(`${path} ${reflection.name}`));
  reflection.comment ??= new Comment();
  reflection.comment.blockTags.push(new CommentTag("@category", [{ kind: "text", text: topic }]));
}
