/** Whether the environment's DEBUG, names with commas between, has `wgrad:` and the topic, or `wgrad:*`. */
export function debugs(topic: "plan" | "error"): boolean {
  const names = (process.env["DEBUG"] ?? "").split(",").map((name) => name.trim());
  return names.includes(`wgrad:${topic}`) || names.includes("wgrad:*");
}
