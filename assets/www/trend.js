// SPDX-License-Identifier: MIT
// The last minute of one figure, and its drawing.

const SPAN = 60; // seconds, the width of the drawing's viewBox
const HEIGHT = 20;
const HEADROOM = 1.5; // keeps the stroke of the highest point inside

/** The next of 1, 2, 5, 10, 20… at or above value: an axis that stands while values move. */
function ceiling(value) {
  if (value <= 0) return 1;
  const decade = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((step) => step * decade >= value) * decade;
}

export class Trend {
  #points = []; // { time: seconds, value: number, or null where the line breaks }

  add(time, value) {
    this.#points.push({ time, value });
    while (this.#points[0].time < time - SPAN) this.#points.shift();
  }

  get #values() {
    return this.#points.map(({ value }) => value).filter((value) => value !== null);
  }

  /** The middle value of the last minute; null before there is one. */
  get median() {
    const sorted = this.#values.sort((a, b) => a - b);
    return sorted.length ? sorted[sorted.length >> 1] : null;
  }

  /** Draws into an svg whose viewBox is "0 0 60 20", its newest point at the right edge. */
  draw(svg, title, format) {
    const values = this.#values;
    const top = ceiling(Math.max(...values, 0));
    const newest = this.#points.at(-1).time;
    let line = "";
    let area = "";
    let last = null; // x of the point before, null at a break
    for (const { time, value } of this.#points) {
      if (value === null) {
        if (last !== null) area += `V${HEIGHT}Z`;
        last = null;
        continue;
      }
      const x = (SPAN - newest + time).toFixed(2);
      const y = (HEIGHT - (value / top) * (HEIGHT - HEADROOM)).toFixed(2);
      line += last === null ? `M${x} ${y}h0` : `L${x} ${y}`;
      area += last === null ? `M${x} ${HEIGHT}V${y}` : `L${x} ${y}`;
      last = x;
    }
    if (last !== null) area += `V${HEIGHT}Z`;
    svg.querySelector(".line").setAttribute("d", line);
    svg.querySelector(".area").setAttribute("d", area);
    svg.parentElement.querySelector(".top").textContent = values.length ? format(top) : "";
    svg.setAttribute(
      "aria-label",
      values.length
        ? `${title}, last minute: now ${format(values.at(-1))}, ` +
            `lowest ${format(Math.min(...values))}, highest ${format(Math.max(...values))}`
        : `${title}: not yet measured`,
    );
  }
}
