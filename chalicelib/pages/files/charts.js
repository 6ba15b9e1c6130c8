// Charts, drawn as SVG: bars over time, and how a number is shared out. Each has a title, and its numbers as text.

import { html, nothing, svg } from "./lit-html.js";
import { count, draw } from "./app.js";

const percent = (part, whole) => (whole ? (100 * part) / whole : 0).toFixed(1);

/** Where a chart's scale ends: a round number that is not below a number, and whose half is whole. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  const steps = power > 1 ? [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10] : [1, 2, 4, 6, 8, 10];
  return steps.map((step) => Math.round(step * power)).find((step) => step >= value);
}

let pointed = null; // the chart and the bar that the pointer is on

/**
 * Bars over time. `values` are `{label, short, count, unfinished}`, oldest first; `what` is what is counted, such as
 * "clicks"; `heading` is the title.
 */
export function bars({ id, heading, values, what, column }) {
  const most = Math.max(0, ...values.map((each) => each.count));
  const top = roundUp(most);
  const width = 100 / Math.max(values.length, 1);
  const gap = values.length > 60 ? 0.12 : 0.22;
  const at = pointed?.id === id ? values[pointed.at] : null;
  const peak = values.find((each) => each.count === most);
  const point = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const next = Math.min(values.length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * values.length)));
    if (pointed?.id === id && pointed.at === next) return;
    pointed = { id, at: next };
    draw();
  };
  const leave = () => ((pointed = null), draw());
  return html`
    <figure class="chart">
      <figcaption>
        <h2>${heading}</h2>
        <span class="readout" aria-hidden="true">
          ${at
            ? html`${at.label}: <b>${count(at.count)}</b>${at.unfinished ? " so far" : nothing}`
            : most
              ? html`Most: <b>${count(most)}</b>, ${peak.label}`
              : html`No ${what} in this time`}
        </span>
      </figcaption>
      <div class="plot">
        <span class="scale" aria-hidden="true"><span>${count(top)}</span><span>${top > 1 ? count(top / 2) : nothing}</span></span>
        <svg
          role="img" aria-label=${`${heading}: ${count(most)} ${what} at most, ${peak?.label ?? ""}. The table below has all numbers.`}
          @pointermove=${point} @pointerleave=${leave}
        >
          <line x1="0" x2="100%" y1="0.5" y2="0.5"></line>
          <line x1="0" x2="100%" y1="50%" y2="50%"></line>
          ${values.map((each, index) => {
            const height = (100 * each.count) / top;
            return svg`<rect
              class=${`${each.unfinished ? "unfinished" : ""} ${each === at ? "pointed" : ""}`}
              x=${`${(index + gap / 2) * width}%`} width=${`${(1 - gap) * width}%`}
              y=${`${100 - height}%`} height=${`${height}%`} rx="2"></rect>`;
          })}
          <line class="ground" x1="0" x2="100%" y1="100%" y2="100%"></line>
        </svg>
      </div>
      <div class="ends" aria-hidden="true">
        <span>${values[0]?.short}</span>
        ${values.length > 8 ? html`<span>${values[Math.floor(values.length / 2)].short}</span>` : nothing}
        <span>${values.at(-1)?.short}</span>
      </div>
      <details>
        <summary>As a table</summary>
        <div class="scroll" tabindex="0" role="region" aria-label=${`${heading}, as a table`}>
          <table>
            <thead><tr><th scope="col">${column}</th><th scope="col">${what}</th></tr></thead>
            <tbody>
              ${[...values].reverse().map((each) => html`<tr><th scope="row">${each.label}</th><td>${count(each.count)}</td></tr>`)}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  `;
}

/**
 * How `whole` is shared out: `values` are `{label, count}`, the largest first; `other` is what has none of these. `none`
 * is said if there is nothing to share out.
 */
export function shares({ heading, values, other, whole, none }) {
  const most = Math.max(1, other, ...values.map((each) => each.count));
  const rows = other ? [...values, { label: "Other", count: other, vague: true }] : values;
  return html`
    <section class="card shares">
      <table>
        <caption><h2>${heading}</h2></caption>
        <colgroup><col /><col /><col /></colgroup>
        <thead><tr>${["Which", "Share", "People"].map((each) => html`<th scope="col"><span class="unseen">${each}</span></th>`)}</tr></thead>
        <tbody>
          ${rows.map(
            (each) => html`
              <tr class=${each.vague ? "vague" : ""}>
                <th scope="row" title=${each.label}>
                  <span>${each.label}</span>
                  <svg class="share" aria-hidden="true"><rect width=${`${(100 * each.count) / most}%`} height="100%" rx="1.5"></rect></svg>
                </th>
                <td class="part">${percent(each.count, whole)} %</td>
                <td>${count(each.count)}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
      ${rows.length ? nothing : html`<p class="quiet">${none}</p>`}
    </section>
  `;
}
