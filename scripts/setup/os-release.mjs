/**
 * Parses /etc/os-release: `KEY=value` lines, with optional quotes.
 *
 * @param {string} text
 * @returns {Record<string, string>}
 */
export function parseOsRelease(text) {
  const fields = {};
  for (const line of text.split("\n")) {
    const match = /^([A-Z0-9_]+)=(.*)$/.exec(line.trim());
    if (match) fields[match[1]] = match[2].replace(/^(["'])(.*)\1$/, "$2");
  }
  return fields;
}

/**
 * The distribution and those that it derives from, nearest first: `["linuxmint", "ubuntu", "debian"]`.
 *
 * @param {Record<string, string>} osRelease
 * @returns {string[]}
 */
export function distributionFamily(osRelease) {
  return `${osRelease.ID ?? ""} ${osRelease.ID_LIKE ?? ""}`.split(" ").filter(Boolean);
}

/**
 * The codename of the release whose packages apt uses; derived distributions name it besides their own.
 *
 * @param {Record<string, string>} osRelease
 * @returns {string | undefined}
 */
export function baseCodename(osRelease) {
  return osRelease.DEBIAN_CODENAME ?? osRelease.UBUNTU_CODENAME ?? osRelease.VERSION_CODENAME;
}
