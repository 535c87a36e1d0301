// SPDX-License-Identifier: MIT
// How figures are written for a person to read.

const number = (value, digits) =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });

function scaled(value, base, units) {
  let power = 0;
  while (Math.abs(value) >= base && power < units.length - 1) {
    value /= base;
    power += 1;
  }
  const digits = Number.isInteger(value) ? 0 : value < 10 ? 2 : value < 100 ? 1 : 0;
  return `${number(value, digits)} ${units[power]}`;
}

/** By the name in data-as. Counters are exact, rates and sizes have three digits. */
export const FORMATS = {
  count: (value) => number(value, 0),
  rate: (value) => number(value, value < 10 && !Number.isInteger(value) ? 1 : 0),
  bytes: (value) => scaled(value, 1000, ["B", "kB", "MB", "GB", "TB"]),
  memory: (value) => scaled(value, 1024, ["B", "KiB", "MiB"]),
  time: (value) =>
    value < 1 ? `${number(value * 1000, value < 0.01 ? 1 : 0)} ms` : `${number(value, 2)} s`,
  duration(value) {
    const two = (part) => String(Math.floor(part)).padStart(2, "0");
    const clock = `${two((value / 3600) % 24)}:${two((value / 60) % 60)}:${two(value % 60)}`;
    return value < 86400 ? clock : `${Math.floor(value / 86400)} d ${clock}`;
  },
};
