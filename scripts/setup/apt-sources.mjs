/**
 * A source of apt packages, in either of the two formats of `man 5 sources.list`.
 *
 * @typedef {object} AptSource
 * @property {string[]} uris
 * @property {string[]} suites
 * @property {string[]} components
 * @property {Record<string, string>} options deb822 fields such as `signed-by`, the names in lower case;
 *   a value keeps its lines, since `Signed-By` may hold the key itself.
 */

/** Fields that identify a source, rather than options. */
const IDENTITY_FIELDS = ["types", "uris", "suites", "components", "enabled"];

/** Options of the one-line format with another name in deb822. */
const LONG_OPTION_NAMES = { arch: "architectures", lang: "languages", target: "targets" };

/**
 * Parses a *.sources file: stanzas of `Field: value`, separated by empty lines.
 *
 * @param {string} text
 * @returns {AptSource[]}
 */
export function parseDeb822Sources(text) {
  const lines = text.split(/\r?\n/).filter((line) => !line.startsWith("#"));
  return lines
    .join("\n")
    .split(/\n\s*\n/)
    .map(parseStanza)
    .filter((fields) => words(fields.types).includes("deb") && !/^(no|false|0)$/i.test(fields.enabled ?? ""))
    .map((fields) => ({
      uris: words(fields.uris),
      suites: words(fields.suites),
      components: words(fields.components),
      options: Object.fromEntries(Object.entries(fields).filter(([name]) => !IDENTITY_FIELDS.includes(name))),
    }));
}

/**
 * Parses a sources.list file: `deb [option=value …] URI suite component …`, one source per line.
 *
 * @param {string} text
 * @returns {AptSource[]}
 */
export function parseSourcesList(text) {
  const sources = [];
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?([^\s[]+)\s+(\S+)([^#]*)/.exec(line);
    if (!match) continue;
    const [, options, uri, suite, components] = match;
    sources.push({ uris: [uri], suites: [suite], components: words(components), options: parseOptions(options) });
  }
  return sources;
}

/**
 * The sources of Debian's own archive for a release: those with the same address as `codename main`, and the security
 * archive.
 *
 * Another publisher may also have a suite `bookworm main`. Debian's is the one with `bookworm-updates` at the same address,
 * or signed by Debian's keyring; otherwise the first one is used.
 *
 * @param {AptSource[]} sources
 * @param {string} codename
 * @returns {AptSource[]} empty if no source serves `codename main`
 */
export function debianSources(sources, codename) {
  const candidates = sources.filter((source) => servesMain(source, codename));
  const updates = sources.filter((source) => servesMain(source, `${codename}-updates`));
  const main =
    candidates.find((candidate) => updates.some((source) => sharesAddress(source, candidate))) ??
    candidates.find((candidate) => candidate.options["signed-by"]?.includes("debian-archive")) ??
    candidates[0];
  if (main === undefined) return [];
  const others = sources.filter(
    (source) => source !== main && (sharesAddress(source, main) || servesMain(source, `${codename}-security`)),
  );
  return [main, ...others];
}

/**
 * Formats a source as a deb822 stanza.
 *
 * @param {AptSource} source
 * @returns {string} ends with a newline
 */
export function formatSource({ uris, suites, components, options }) {
  const capitalize = (name) => name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
  const separator = (value) => (value.startsWith("\n") ? "" : " ");
  return [
    "Types: deb",
    `URIs: ${uris.join(" ")}`,
    `Suites: ${suites.join(" ")}`,
    `Components: ${components.join(" ")}`,
    ...Object.entries(options).map(([name, value]) => `${capitalize(name)}:${separator(value)}${value}`),
    "",
  ].join("\n");
}

function servesMain(source, suite) {
  return source.suites.includes(suite) && source.components.includes("main");
}

function sharesAddress(source, other) {
  return source.uris.some((uri) => other.uris.includes(uri));
}

/** A line that starts with a space continues the field above it. */
function parseStanza(stanza) {
  const fields = {};
  let name;
  for (const line of stanza.split("\n")) {
    const match = /^([A-Za-z][A-Za-z0-9-]*):\s*(.*)$/.exec(line);
    if (match) {
      name = match[1].toLowerCase();
      fields[name] = match[2].trim();
    } else if (name !== undefined && /^\s+\S/.test(line)) {
      fields[name] += `\n${line.trimEnd()}`;
    }
  }
  return fields;
}

function parseOptions(options) {
  const fields = {};
  for (const option of words(options)) {
    const match = /^([a-z-]+)=(.+)$/.exec(option);
    if (match) fields[LONG_OPTION_NAMES[match[1]] ?? match[1]] = match[2].replaceAll(",", " ");
  }
  return fields;
}

function words(value) {
  return (value ?? "").split(/\s+/).filter(Boolean);
}
