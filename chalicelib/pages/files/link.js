// A link: what it is, who follows it and from where; pausing, deleting and its QR code.

import { html, nothing } from "./lit-html.js";
import * as api from "./api.js";
import {
  badge, bare, closing, copy, count, dayText, daysAgo, draw, drawn, frame, go, linkAddress, momentText, say, shortDay, trouble,
  webAddress,
} from "./app.js";
import { bars, shares } from "./charts.js";
import { noteChange } from "./links.js";

const RANGES = { 1: "Today", 7: "7 days", 30: "30 days", 90: "90 days" };
const USUAL_DAYS = 30;
const MOST_DAYS_BY_HOUR = 7; // more bars than that are too thin to tell apart
const DIMENSIONS = {
  country: "Countries",
  referrer: "Referrers",
  utm_source: "Sources",
  browser: "Browsers",
  os: "Systems",
  device: "Devices",
};
const UNKNOWN = { referrer: "Direct, or unknown", utm_source: "No source" };
const DEVICES = { desktop: "Computer", mobile: "Phone", tablet: "Tablet" };
const VALUES = 8;

const SOON = 5_000;
const LATER = 30_000;
const LIVELY = 5 * 60_000; // so long after something has happened, one looks soon again

const countries = new Intl.DisplayNames(["en"], { type: "region" });

/** What is told of which days: by `days` up to today, or `from` and `to`. */
function rangeOf(query) {
  const from = query.get("from");
  const to = query.get("to");
  const range =
    from || to
      ? { from: from || to, to: to || from, own: true }
      : { days: RANGES[query.get("days")] ? Number(query.get("days")) : USUAL_DAYS };
  if (range.days) Object.assign(range, { from: daysAgo(range.days - 1), to: daysAgo(0) });
  range.length = (Date.parse(range.to) - Date.parse(range.from)) / 86_400_000 + 1;
  range.mayHours = range.length >= 1 && range.length <= MOST_DAYS_BY_HOUR;
  range.by = range.mayHours && (query.get("by") ?? (range.length <= 2 ? "hour" : "day")) === "hour" ? "hour" : "day";
  return range;
}

export function open(place) {
  const { code } = place;
  let { part } = place;
  let range = rangeOf(place.query);
  let query = Object.fromEntries(place.query);
  let link = null;
  let problem = null;
  let report = null;
  let reportProblem = null;
  let total = null;
  let today = null;
  let typedCode = "";
  let dialogProblem = null;
  let busy = false;
  let closed = false;

  const here = (to = "", changed = query) => linkAddress(code, to, changed);

  async function load() {
    problem = null;
    loadReport();
    api.total(code).then(
      (clicks) => ((total = clicks), draw()),
      () => {}, // the report says what is wrong
    );
    try {
      link = await api.link(code);
    } catch (refusal) {
      problem = refusal;
    }
    draw();
  }

  let asked = 0;
  async function loadReport() {
    const turn = ++asked;
    if (range.days) range = { ...range, from: daysAgo(range.days - 1), to: daysAgo(0) };
    reportProblem = null;
    draw();
    try {
      const by = [range.by, ...Object.keys(DIMENSIONS)];
      const found = await api.report(code, { from: range.from, to: range.to, by, limit: VALUES });
      if (turn === asked) report = found;
    } catch (refusal) {
      if (turn === asked) [report, reportProblem] = [refusal.status === 0 ? report : null, refusal];
    }
    draw();
  }

  // Live: today's clicks are looked at every few seconds, and all the rest only when those have changed.
  let timer;
  let lively = Date.now();
  async function look() {
    clearTimeout(timer);
    if (closed || document.hidden) return; // until it is looked at again
    try {
      const day = daysAgo(0);
      const { clicks } = await api.report(code, { from: day, to: day });
      if (today && (today.clicks !== clicks || today.day !== day)) {
        lively = Date.now();
        total = null;
        api.total(code).then((all) => ((total = all), draw()), () => {});
        if (range.to >= today.day) loadReport();
      }
      today = { day, clicks };
    } catch {
      lively = 0;
    }
    if (!closed) timer = setTimeout(look, Date.now() - lively < LIVELY ? SOON : LATER);
  }
  const awake = () => {
    if (!document.hidden) {
      lively = Date.now();
      look();
    }
  };
  document.addEventListener("visibilitychange", awake);

  async function pause() {
    if (busy) return;
    busy = true;
    try {
      link = await api.change(code, { enabled: !link.enabled }, link.version);
      noteChange(code, link);
      say(link.enabled ? "It leads on again" : "Paused: whoever follows it is told so");
    } catch (refusal) {
      if (refusal.status === 412) {
        say("It has been changed elsewhere. This is how it is now.");
        await load();
      } else say(refusal.detail);
    }
    busy = false;
    draw();
  }

  async function remove(event) {
    event.preventDefault();
    if (busy) return;
    if (typedCode !== code) {
      dialogProblem = `Type ${code} to delete it.`;
      return draw();
    }
    busy = true;
    dialogProblem = null;
    draw();
    try {
      await api.remove(code, link.version);
      noteChange(code, null);
      say(`Deleted ${code}`);
      go("#/", { replace: true });
    } catch (refusal) {
      dialogProblem = refusal.detail;
      if (refusal.status === 412) load();
    }
    busy = false;
    draw();
  }

  async function download() {
    try {
      const by = [...(range.by === "hour" ? ["hour"] : []), "day", ...Object.keys(DIMENSIONS)];
      const file = URL.createObjectURL(await api.csv(code, { ...range, by }));
      Object.assign(document.createElement("a"), { href: file, download: `${code}-${range.from}-${range.to}.csv` }).click();
      URL.revokeObjectURL(file);
      say("Saved as CSV");
    } catch (refusal) {
      say(refusal.detail);
    }
  }

  async function close() {
    const opener = part;
    await go(here(), { replace: true });
    await drawn();
    document.getElementById(opener)?.focus();
  }

  const setRange = (changed) => go(here("", changed), { replace: true });

  load();
  look();

  return {
    title: code,
    move(next) {
      const was = JSON.stringify(query);
      query = Object.fromEntries(next.query);
      part = next.part;
      typedCode = "";
      dialogProblem = null;
      if (JSON.stringify(query) !== was) {
        range = rangeOf(next.query);
        loadReport();
      }
      return true;
    },
    leave() {
      closed = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", awake);
    },
    again() {
      load();
      awake();
    },
    keys: { e: () => go(here("edit", {})) },
    view,
  };

  function view() {
    if (!link && problem) return trouble(problem, load, true);
    if (!link) return html`<p class="quiet" aria-busy="true">Loading…</p>`;
    return html`
      <p class="back"><a href="#/">← Links</a></p>
      <div class="head">
        <div class="what">
          <h1 tabindex="-1">${link.title || link.code}</h1>
          <p class="short">
            <a class="to" href=${webAddress(link.short_url)} rel="noreferrer" target="_blank">${bare(link.short_url)}</a>
            <button class="plain" @click=${() => copy(link.short_url)}>Copy</button>
            ${badge(link)}
          </p>
          <p class="target"><span class="quiet">leads to</span> <a href=${webAddress(link.url)} rel="noreferrer" target="_blank">${link.url}</a></p>
          ${facts()}
        </div>
        <div class="actions">
          <a class="button" href=${here("edit", {})}>Edit</a>
          <button class="button" @click=${pause} ?disabled=${busy}>${link.enabled ? "Pause" : "Resume"}</button>
          <a class="button" id="qr" href=${here("qr")}>QR code</a>
          <a class="button danger" id="delete" href=${here("delete")}>Delete</a>
        </div>
      </div>
      ${ranges()} ${numbers()} ${part === "qr" ? qrCode() : part === "delete" ? deletion() : nothing}
    `;
  }

  function facts() {
    const said = [
      `Created ${dayText(link.created_at)}`,
      link.owner !== frame.me?.owner && frame.me ? `by ${link.owner}` : null,
      link.starts_at && `starts ${momentText(link.starts_at)}`,
      link.expires_at && `expires ${momentText(link.expires_at)}`,
      link.expired_url && `then leads to ${bare(link.expired_url)}`,
      link.max_clicks && `${report?.used == null ? "" : `${count(report.used)} of `}${count(link.max_clicks)} clicks used at most`,
      link.has_password && "asks for a password",
      link.forward_query && "passes on the visitor's query",
    ];
    return html`<p class="facts quiet">
      ${said.filter(Boolean).join(" · ")}
      ${link.tags.map((tag) => html` <a class="tag" href=${`#/?tag=${encodeURIComponent(tag)}`}>${tag}</a>`)}
    </p>`;
  }

  function ranges() {
    const pick = (event) => {
      const given = Object.fromEntries(new FormData(event.currentTarget));
      if (given.from && given.to) setRange(given);
    };
    return html`
      <div class="ranges">
        <div class="choice" role="group" aria-label="Days">
          ${Object.entries(RANGES).map(
            ([days, name]) => html`<button aria-pressed=${String(range.days === Number(days))} @click=${() => setRange({ days })}>${name}</button>`,
          )}
        </div>
        <form class="dates" @change=${pick} @submit=${(event) => event.preventDefault()}>
          <input type="date" name="from" aria-label="From" .value=${range.from} max=${daysAgo(0)} />
          <span aria-hidden="true">–</span>
          <input type="date" name="to" aria-label="To" .value=${range.to} max=${daysAgo(0)} />
          <span class="quiet small">UTC</span>
        </form>
        ${range.mayHours && range.length > 1
          ? html`<div class="choice" role="group" aria-label="Bars">
              ${["day", "hour"].map(
                (by) => html`<button aria-pressed=${String(range.by === by)} @click=${() => setRange({ ...query, by })}>By ${by}</button>`,
              )}
            </div>`
          : nothing}
        <span class="grow"></span>
        <span class="live quiet small">${frame.unreached ? "Not live" : html`<i aria-hidden="true"></i>Live`}</span>
        <button class="button" @click=${download} ?disabled=${!report}>CSV</button>
      </div>
    `;
  }

  function numbers() {
    if (!report) {
      return reportProblem
        ? trouble(reportProblem, loadReport)
        : html`<div class="numbers waiting" aria-busy="true" aria-label="Loading"><i></i><i></i><i></i></div>`;
    }
    const { clicks, people, bots, unrecorded } = report;
    return html`
      <dl class="numbers">
        <div class="main"><dt>Clicks</dt><dd id="clicks">${count(clicks)}</dd></div>
        <div><dt>People</dt><dd>${count(people)}</dd></div>
        <div><dt>Robots</dt><dd>${count(bots)}</dd></div>
        ${unrecorded ? html`<div><dt>Not told apart</dt><dd>${count(unrecorded)}</dd></div>` : nothing}
        <div class="all"><dt>Of all time</dt><dd id="total">${count(total)}</dd></div>
      </dl>
      ${bars({ id: "clicks", heading: `Clicks by ${report.by.hour ? "hour" : "day"}`, values: overTime(report), what: "clicks", column: `${report.by.hour ? "Hour" : "Day"} (UTC)` })}
      <div class="breakdowns">
        ${Object.entries(DIMENSIONS).map(([name, heading]) =>
          shares({
            heading,
            values: report.by[name].map(({ value, clicks: each }) => ({ label: label(name, value), count: each })),
            other: report.other[name],
            whole: people,
            none: "Nobody yet.",
          }),
        )}
      </div>
      <p class="quiet small">
        Shares are of people, robots left out. Unknown: the visitor did not say, or asks not to be followed.
      </p>
    `;
  }

  function qrCode() {
    const image = api.qrCode(code);
    return html`
      <dialog class="qr" aria-labelledby="qr-title" @cancel=${closing(close)}>
        <h2 id="qr-title">QR code</h2>
        <img src=${image} width="240" height="240" alt=${`QR code of ${bare(link.short_url)}`} />
        <p class="quiet small">${bare(link.short_url)}, with the source “qr”, so that you see who has scanned it.</p>
        <div class="actions">
          <button class="button" @click=${close}>Close</button>
          <a class="button primary" href=${image} download=${`${code}.svg`}>Save as SVG</a>
        </div>
      </dialog>
    `;
  }

  function deletion() {
    return html`
      <dialog aria-labelledby="delete-title" @cancel=${closing(close)}>
        <form class="form" @submit=${remove} novalidate>
          <h2 id="delete-title">Delete ${code}?</h2>
          <p>Whoever follows it will be told that it is gone. Its clicks are forgotten, and nobody can have the code again.</p>
          <div class="field">
            <label for="typed-code">Type <b>${code}</b> to go on</label>
            <input
              id="typed-code" class="code" autocomplete="off" spellcheck="false" .value=${typedCode}
              @input=${(event) => ((typedCode = event.target.value.trim()), draw())}
              aria-invalid=${dialogProblem ? "true" : "false"} aria-describedby=${dialogProblem ? "delete-problem" : nothing}
            />
            ${dialogProblem ? html`<p class="problem" id="delete-problem" role="alert">${dialogProblem}</p>` : nothing}
          </div>
          <div class="actions">
            <button class="button" type="button" @click=${close}>Keep it</button>
            <button class="button danger solid" ?disabled=${busy}>Delete for good</button>
          </div>
        </form>
      </dialog>
    `;
  }
}

function label(dimension, value) {
  if (value === null) return UNKNOWN[dimension] ?? "Unknown";
  if (dimension === "country") {
    try {
      return countries.of(value) ?? value;
    } catch {
      return value;
    }
  }
  return dimension === "device" ? (DEVICES[value] ?? value) : value;
}

/** Every day or hour of a report, those without clicks too, oldest first. */
function overTime(report) {
  const hourly = report.by.hour;
  const clicks = new Map((hourly ?? report.by.day).map(({ value, clicks: each }) => [value, each]));
  const now = new Date().toISOString();
  const values = [];
  const last = report.to < now.slice(0, 10) ? report.to : now.slice(0, 10);
  for (let at = Date.parse(report.from); at <= Date.parse(last); at += 86_400_000) {
    const day = new Date(at).toISOString().slice(0, 10);
    if (!hourly) {
      const weekday = new Date(at).toLocaleDateString("en-GB", { weekday: "short", timeZone: "UTC" });
      values.push({ label: `${weekday}, ${dayText(day)}`, short: shortDay(day), count: clicks.get(day) ?? 0, unfinished: day === now.slice(0, 10) });
      continue;
    }
    for (let hour = 0; hour < 24; hour++) {
      const value = `${day}T${String(hour).padStart(2, "0")}:00:00Z`;
      const time = `${String(hour).padStart(2, "0")}:00`;
      values.push({
        label: `${dayText(day)}, ${time}`,
        short: report.from === report.to ? time : shortDay(day),
        count: clicks.get(value) ?? 0,
        unfinished: value.slice(0, 13) === now.slice(0, 13),
      });
    }
  }
  return values;
}
