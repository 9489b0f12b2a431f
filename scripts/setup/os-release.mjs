/**
 * Reads /etc/os-release: `KEY=value` lines, the value perhaps in quotes.
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
 * The distribution and those it derives from, nearest first: `["linuxmint", "ubuntu", "debian"]`.
 *
 * @param {Record<string, string>} osRelease
 * @returns {string[]}
 */
export function distributionFamily(osRelease) {
  return `${osRelease.ID ?? ""} ${osRelease.ID_LIKE ?? ""}`.split(" ").filter(Boolean);
}

/**
 * The codename whose packages apt takes: a derived distribution names its base's beside its own.
 *
 * @param {Record<string, string>} osRelease
 * @returns {string | undefined}
 */
export function baseCodename(osRelease) {
  return osRelease.DEBIAN_CODENAME ?? osRelease.UBUNTU_CODENAME ?? osRelease.VERSION_CODENAME;
}
