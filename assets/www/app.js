// SPDX-License-Identifier: MIT
// Asks the server for its counters once a second and shows them; index.html names what goes where.

import { FORMATS } from "./formats.js";
import { Scrape } from "./metrics.js";
import { Trend } from "./trend.js";

const PERIOD = 1000; // ms from one question to the next
const PATIENCE = 3000; // ms without an answer that count as none
const UPTIME = "viperhttp_uptime_seconds";
const ROUND_TRIP = "browser_round_trip_seconds"; // the one figure measured here, not by the server

/** What one answer of the server says, by itself and against the answer before it. */
class Reading {
  #before; // the scrape before, null where there is nothing to compare with

  /** @param {number} time seconds, when it was asked  @param {number} roundTrip seconds */
  constructor(scrape, time, roundTrip, before) {
    Object.assign(this, { scrape, time, roundTrip });
    this.#before = before;
  }

  /** A figure; undefined where the server does not report it, null where it cannot be said yet. */
  value(selector) {
    const [, derivation, of] = /^(rate|median)\((.*)\)$/.exec(selector) ?? [];
    if (derivation === "median") return trends.get(of).median;
    if (derivation === "rate") return this.#rate(of);
    return selector === ROUND_TRIP ? this.roundTrip : this.scrape.sum(selector);
  }

  /** Per second of the server's own clock, which stands in the same scrape as the counter. */
  #rate(counter) {
    const grown = (selector) => this.scrape.sum(selector) - this.#before?.sum(selector);
    if (this.scrape.sum(counter) === undefined) return undefined;
    // After a restart the uptime is less than it was.
    const rate = grown(UPTIME) > 0 ? grown(counter) / grown(UPTIME) : NaN;
    return Number.isFinite(rate) ? rate : null;
  }
}

const trends = new Map(
  [...document.querySelectorAll("[data-trend]")].map((svg) => [svg.dataset.trend, new Trend()]),
);

function breakTrends() {
  for (const trend of trends.values()) trend.add(performance.now() / 1000, null);
}

function reveal(element, known) {
  element.closest(".figure").hidden = !known;
}

function showNumbers(reading) {
  for (const element of document.querySelectorAll("[data-metric]")) {
    const value = reading.value(element.dataset.metric);
    reveal(element, value !== undefined);
    if (value === undefined) continue;
    element.value = value ?? "";
    element.textContent = value === null ? "–" : FORMATS[element.dataset.as](value);
  }
}

function showLabels({ scrape }) {
  for (const element of document.querySelectorAll("[data-label]")) {
    const text = scrape.select(element.dataset.label)[0]?.labels[element.dataset.name];
    reveal(element, text !== undefined);
    element.value = element.textContent = text ?? "";
  }
}

/** Bars and dials: paths of length 100 of which a part is stroked. */
function showParts(reading) {
  for (const svg of document.querySelectorAll("[data-part]")) {
    const { part, whole, mark } = svg.dataset;
    const sum = (terms) =>
      terms.split(" + ").reduce((total, term) => total + reading.value(term), 0);
    const percent = (selector) => (100 * sum(selector)) / sum(whole);
    reveal(svg, Number.isFinite(percent(part)));
    if (svg.closest(".figure").hidden) continue;
    svg.querySelector(".used").style.strokeDasharray = `${percent(part)} 100`;
    if (mark) svg.querySelector(".mark").style.strokeDashoffset = -percent(mark);
  }
}

const CLASSES = {
  1: "informational",
  2: "success",
  3: "redirection",
  4: "client error",
  5: "server error",
};

function showClasses({ scrape }) {
  const table = document.getElementById("classes");
  const codes = scrape.select("viperhttp_responses_total");
  const sum = (series) => series.reduce((total, { value }) => total + value, 0);
  const total = sum(codes);
  reveal(table, total > 0);
  const rows = [];
  const bars = [];
  let x = 0;
  for (const [digit, meaning] of Object.entries(CLASSES)) {
    const members = codes.filter(({ labels, value }) => labels.status[0] === digit && value > 0);
    if (!members.length) continue;
    const style = `class${digit}`;
    const each = members.map(({ labels, value }) => `${labels.status} × ${FORMATS.count(value)}`);
    rows.push(tableRow(style, `${digit}xx`, `${meaning}: ${each.join(", ")}`, sum(members)));
    const width = (100 * sum(members)) / total;
    bars.push(barPart(style, x, width));
    x += width;
  }
  table.replaceChildren(...rows);
  document.querySelector(".classes").replaceChildren(...bars);
}

function tableRow(style, name, codes, count) {
  const row = document.createElement("tr");
  const head = document.createElement("th");
  row.className = style;
  head.scope = "row";
  head.textContent = name;
  row.append(head);
  row.insertCell().textContent = codes;
  row.insertCell().textContent = FORMATS.count(count);
  return row;
}

function barPart(style, x, width) {
  const part = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ class: style, x, width, height: 8 })) {
    part.setAttribute(name, value);
  }
  return part;
}

function showTrends(reading) {
  for (const svg of document.querySelectorAll("[data-trend]")) {
    const value = reading.value(svg.dataset.trend);
    reveal(svg, value !== undefined);
    if (value === undefined) continue;
    const trend = trends.get(svg.dataset.trend);
    trend.add(reading.time, value);
    const title = svg.closest("section").querySelector("h2").textContent;
    trend.draw(svg, title, FORMATS[svg.dataset.as]);
  }
}

function show(reading) {
  showTrends(reading); // first: medians are taken from them
  showNumbers(reading);
  showLabels(reading);
  showParts(reading);
  showClasses(reading);
  for (const group of document.querySelectorAll(".card, .ring")) {
    group.hidden = !group.querySelector(".figure:not([hidden])");
  }
}

function report(state, text, detail = "") {
  const status = document.getElementById("status");
  const silence = document.getElementById("silence");
  document.documentElement.dataset.state = state;
  if (status.textContent !== text) status.textContent = text; // a screen reader speaks each change
  silence.textContent = detail;
  silence.hidden = !detail;
}

/** The server gave no figures; the message says how. */
class Silence extends Error {}

/** @param {?Scrape} before what rates are taken against */
async function ask(before) {
  const asked = performance.now();
  const signal = AbortSignal.timeout(PATIENCE);
  const [status, text] = await fetch("/metrics", { cache: "no-store", signal })
    .then(async (answer) => [answer.status, await answer.text()])
    .catch((cause) => {
      throw new Silence("No answer", { cause });
    });
  const roundTrip = (performance.now() - asked) / 1000;
  if (status !== 200) throw new Silence(`/metrics answers ${status}`);
  const scrape = new Scrape(text);
  if (scrape.empty) throw new Silence("/metrics holds no figure");
  return new Reading(scrape, asked / 1000, roundTrip, before);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function visible() {
  while (document.hidden) {
    await new Promise((resolve) =>
      document.addEventListener("visibilitychange", resolve, { once: true }),
    );
  }
}

const clock = (date) => date.toLocaleTimeString("en-GB");

async function watch() {
  let before = null; // the last scrape
  let heard = null; // Date of the last answer
  const opened = new Date();
  for (;;) {
    if (document.hidden) {
      await visible();
      before = null; // a rate over the pause would say nothing about any second of it
      breakTrends();
    }
    const due = performance.now() + PERIOD;
    try {
      const reading = await ask(before);
      show(reading);
      before = reading.scrape;
      heard = new Date();
      report("live", "Live");
    } catch (error) {
      const foreseen = error instanceof Silence;
      if (!foreseen) console.error(error);
      before = null;
      breakTrends();
      report(
        "silent",
        `${foreseen ? error.message : "This page failed"} since ${clock(heard ?? opened)}`,
        `${heard ? "The figures are from then. " : ""}Asking again every second.`,
      );
    }
    await sleep(due - performance.now());
  }
}

watch();
