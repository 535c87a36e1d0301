// SPDX-License-Identifier: MIT
// One scrape of a server's /metrics: the Prometheus text exposition format, version 0.0.4.

const SERIES = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** `name{label="value",…}` at the start of text, and its length; null where there is none. */
function parseSeries(text) {
  const match = SERIES.exec(text);
  if (!match) return null;
  const labels = {};
  for (const [, name, value] of (match[2] ?? "").matchAll(LABEL)) {
    labels[name] = value.replace(/\\(.)/g, (_, escaped) => (escaped === "n" ? "\n" : escaped));
  }
  return { name: match[1], labels, length: match[0].length };
}

export class Scrape {
  #series = [];

  /** @param {string} text the body of the answer; lines that are not samples are passed over */
  constructor(text) {
    for (const line of text.split("\n")) {
      const series = parseSeries(line);
      if (!series) continue;
      const value = Number.parseFloat(line.slice(series.length));
      if (Number.isFinite(value)) this.#series.push({ ...series, value });
    }
  }

  get empty() {
    return this.#series.length === 0;
  }

  /** Every series of that name whose labels include those of the selector. */
  select(selector) {
    const { name, labels } = parseSeries(selector);
    return this.#series.filter(
      (series) =>
        series.name === name &&
        Object.entries(labels).every(([label, value]) => series.labels[label] === value),
    );
  }

  /** The sum of the selected series; undefined where the server reports none of them. */
  sum(selector) {
    const selected = this.select(selector);
    return selected.length ? selected.reduce((sum, { value }) => sum + value, 0) : undefined;
  }
}
