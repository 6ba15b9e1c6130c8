// The links that were created on each day, by everybody: for admins.

import { html } from "./lit-html.js";
import * as api from "./api.js";
import { address, count, daysAgo, dayText, draw, go, shortDay, trouble } from "./app.js";
import { bars } from "./charts.js";

const RANGES = [7, 30, 90];
const USUAL_DAYS = 30;

export function open(place) {
  let days = daysOf(place);
  let found = null;
  let problem = null;

  async function load() {
    problem = null;
    const asked = days;
    try {
      const byDay = new Map((await api.linksByDay(days)).map(({ day, links }) => [day, links]));
      if (asked !== days) return;
      found = Array.from({ length: days }, (_, index) => {
        const day = daysAgo(days - 1 - index);
        return { label: dayText(day), short: shortDay(day), count: byDay.get(day) ?? 0, unfinished: day === daysAgo(0) };
      });
    } catch (refusal) {
      problem = refusal;
    }
    draw();
  }

  load();

  return {
    title: "Days",
    again: load,
    move(next) {
      days = daysOf(next);
      load();
      return true;
    },
    view: () => html`
      <div class="head"><h1 tabindex="-1">Links per day</h1></div>
      <div class="ranges">
        <div class="choice" role="group" aria-label="Days">
          ${RANGES.map(
            (each) => html`<button aria-pressed=${String(each === days)} @click=${() => go(address("days", { days: each }), { replace: true })}>${each} days</button>`,
          )}
        </div>
      </div>
      ${problem
        ? trouble(problem, load)
        : found
          ? html`
              <dl class="numbers">
                <div class="main"><dt>New links</dt><dd>${count(found.reduce((sum, each) => sum + each.count, 0))}</dd></div>
              </dl>
              ${bars({ id: "days", heading: "New links, everybody's", values: found, what: "links", column: "Day (UTC)" })}
            `
          : html`<p class="quiet" aria-busy="true">Loading…</p>`}
    `,
  };
}

const daysOf = (place) => (RANGES.includes(Number(place.query.get("days"))) ? Number(place.query.get("days")) : USUAL_DAYS);
