// The page around the screens: addresses, the bar at the top, keys, messages, and the parts that screens share.
//
// A screen is a module with `open(place)`, which gives `{title, view()}` and, if it needs them, `move(place)` (the
// address has changed within the screen: true if it could follow), `leave()`, `again()` (load once more) and `keys`.
// It calls `draw()` whenever something has changed.

import { html, nothing, render } from "./lit-html.js";
import * as api from "./api.js";

const SCREENS = {
  links: () => import("./links.js"),
  link: () => import("./link.js"),
  edit: () => import("./edit.js"),
  days: () => import("./days.js"),
  "sign-in": () => import("./sign-in.js"),
};
const PLACES = [
  [/^$/, "links"],
  [/^new$/, "edit"],
  [/^link\/([^/]+)$/, "link"],
  [/^link\/([^/]+)\/(qr|delete)$/, "link"],
  [/^link\/([^/]+)\/edit$/, "edit"],
  [/^days$/, "days"],
];

/** What is known beyond the screen: who is signed in, why somebody no longer is, whether the API can be reached. */
export const frame = { me: null, signedOut: null, unreached: false, message: "", help: false };
let place = null;
let screen = null;
let failure = null;

// Addresses

/** The address of a view: what stands behind the page's own, with a query of what is neither null nor empty. */
export function address(path, query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value != null && value !== "");
  return `#/${path}${kept.length ? `?${new URLSearchParams(kept)}` : ""}`;
}

export const linkAddress = (code, part = "", query = {}) =>
  address(`link/${encodeURIComponent(code)}${part && `/${part}`}`, query);

export function go(to, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", to);
  return arrive();
}

function placeNow() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  for (const [pattern, name] of PLACES) {
    const found = pattern.exec(path.replace(/\/$/, ""));
    if (!found) continue;
    try {
      const code = found[1] && decodeURIComponent(found[1]);
      return { name, code, part: found[2], query: new URLSearchParams(query), hash: location.hash };
    } catch {
      break; // a code that is no text
    }
  }
  return { name: "nowhere", query: new URLSearchParams(), hash: location.hash };
}

let arrivals = 0;
async function arrive() {
  const turn = ++arrivals;
  const next = placeNow();
  if (!api.key()) next.name = "sign-in";
  if (place?.name === next.name && place.code === next.code && screen?.move?.(next)) {
    place = next;
    return draw();
  }
  failure = null;
  let opened;
  try {
    const module = SCREENS[next.name] && (await SCREENS[next.name]());
    if (turn !== arrivals) return;
    screen?.leave?.();
    opened = module?.open(next) ?? NOWHERE;
  } catch {
    failure = true;
    screen?.leave?.();
    opened = NOT_LOADED;
  }
  const first = !screen;
  screen = opened;
  place = next;
  if (api.key() && !frame.me) Promise.resolve(screen.loaded).then(learnWho); // what is looked at comes first
  focusDue = !first || next.name === "sign-in";
  draw();
  await drawn();
  window.scrollTo(0, screen.scroll ?? 0);
}

// A new screen gets the focus as soon as it has something to give it to, unless somebody has gone on meanwhile.
let focusDue = false;
function focusScreen() {
  const first = focusDue && (document.querySelector("[data-first]") ?? document.querySelector("h1"));
  if (!first) return;
  focusDue = false;
  first.focus({ preventScroll: true });
}
for (const act of ["keydown", "pointerdown"]) document.addEventListener(act, () => (focusDue = false), true);

async function learnWho() {
  if (frame.me || !api.key()) return;
  try {
    frame.me = await api.me();
    draw();
  } catch {
    // whatever the screen itself asks for will say what is wrong
  }
}

const NOWHERE = {
  title: "Not found",
  view: () => html`
    <section class="notice">
      <h1 tabindex="-1">There is no such page</h1>
      <p>The address may have been cut off on its way.</p>
      <a class="button" href="#/">All links</a>
    </section>
  `,
};
const NOT_LOADED = {
  title: "Not loaded",
  view: () => html`
    <section class="notice" role="alert">
      <h1 tabindex="-1">This part of the page could not be loaded</h1>
      <p>You may be offline, or Linkly has been updated since this page was opened.</p>
      <button class="button" @click=${() => location.reload()}>Load the page again</button>
    </section>
  `,
};

// Drawing

const root = document.getElementById("page");
let due = null;

/** Show what has changed, once all that is changing now has. */
export function draw() {
  due ??= Promise.resolve().then(() => {
    due = null;
    document.title = `${screen ? `${screen.title} · ` : ""}Linkly`;
    render(page(), root);
    for (const dialog of document.querySelectorAll("dialog:not([open])")) dialog.showModal();
    focusScreen();
  });
}

/** When it has been shown. */
export const drawn = () => due ?? Promise.resolve();

function page() {
  const signedIn = place?.name !== "sign-in";
  return html`
    <a class="skip" href="#main" @click=${skip}>Skip to the content</a>
    <header class="bar">
      <a class="brand" href="#/">${mark} Linkly</a>
      ${signedIn
        ? html`
            <nav aria-label="Main">
              <a href="#/" aria-current=${place?.name === "links" ? "page" : nothing}>Links</a>
              ${frame.me?.role === "admin"
                ? html`<a href="#/days" aria-current=${place?.name === "days" ? "page" : nothing}>Days</a>`
                : nothing}
            </nav>
            <span class="who" title=${frame.me ? `Signed in as ${frame.me.owner}` : nothing}>${frame.me?.owner}</span>
            <button class="plain help" @click=${help} aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)">?</button>
            <button class="plain" @click=${signOut}>Sign out</button>
            <a class="button primary" href="#/new">New link</a>
          `
        : nothing}
    </header>
    ${frame.unreached
      ? html`<div class="banner" role="alert">
          <span>Linkly cannot be reached. What you see is from before.</span>
          <button class="plain" @click=${again}>Try again</button>
        </div>`
      : nothing}
    <main id="main" tabindex="-1">${screen ? screen.view() : html`<p class="quiet">Loading…</p>`}</main>
    ${frame.help ? shortcuts() : nothing}
    <div class="message" role="status" aria-live="polite" ?data-shown=${frame.message}>${frame.message}</div>
  `;
}

function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

function again() {
  screen?.again?.();
}

export function signOut() {
  sessionStorage.clear(); // the key, and what was typed
  frame.me = null;
  frame.signedOut = null;
  go("#/");
}

let silence;
/** Say something in passing, also to a screen reader. */
export function say(text) {
  clearTimeout(silence);
  frame.message = text;
  silence = setTimeout(() => ((frame.message = ""), draw()), 4000);
  draw();
}

// Keys

const KEYS = [
  ["/", "Search"],
  ["c", "Create a link"],
  ["j, k", "Next and previous link"],
  ["Enter", "Open it"],
  ["Esc", "Close, or go back"],
  ["?", "These keys"],
];

function help() {
  frame.help = !frame.help;
  draw();
}

function shortcuts() {
  return html`
    <dialog aria-labelledby="keys-title" @cancel=${closing(help)}>
      <h2 id="keys-title">Keyboard</h2>
      <dl class="keys">${KEYS.map(([key, does]) => html`<dt><kbd>${key}</kbd></dt><dd>${does}</dd>`)}</dl>
      <p class="quiet">Paste an address anywhere to shorten it.</p>
      <div class="actions"><button class="button" @click=${help}>Close</button></div>
    </dialog>
  `;
}

/** What Esc does in a dialog, instead of closing it behind our back. */
export const closing = (close) => (event) => {
  event.preventDefault();
  close();
};

const typing = (target) => target instanceof Element && target.closest("input, textarea, select");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !api.key()) return;
  if (document.querySelector("dialog[open]")) return; // which has its own
  if (event.key === "Escape") {
    if (typing(event.target)) event.target.blur();
    else if (place?.name !== "links") go(place?.name === "edit" && place.code ? linkAddress(place.code) : "#/");
    return;
  }
  if (typing(event.target)) return;
  const act = { "?": help, c: () => go("#/new"), "/": () => searchFirst(), ...screen?.keys }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

async function searchFirst() {
  if (place?.name !== "links") await go("#/");
  document.querySelector("input[type=search]")?.focus();
}

document.addEventListener("paste", (event) => {
  if (typing(event.target) || !api.key() || document.querySelector("dialog[open]")) return;
  const text = event.clipboardData?.getData("text").trim() ?? "";
  if (/^https?:\/\/\S+$/i.test(text)) go(address("new", { url: text }));
});

// What screens share

const number = new Intl.NumberFormat("en");
export const count = (value) => (value == null ? "–" : number.format(value));

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", hourCycle: "h23", timeZone: "UTC" });
const short = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
export const dayText = (text) => day.format(new Date(text));
export const shortDay = (text) => short.format(new Date(text));
export const momentText = (text) => `${moment.format(new Date(text))} UTC`;

/** The day, in UTC, so many days ago: 2026-05-27. */
export const daysAgo = (days) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

/** An address to point at, if it is one that may be pointed at. */
export const webAddress = (url) => (/^https?:\/\//i.test(url) ? url : nothing);

/** An address without what everybody knows of it. */
export const bare = (url) => url.replace(/^https?:\/\//i, "").replace(/\/$/, "");

/** What visitors of a link meet now, in a word; the API's words for it are those of `state` in a search. */
export function stateOf(link) {
  const now = Date.now();
  if (!link.enabled) return "disabled";
  if (link.starts_at && now < Date.parse(link.starts_at)) return "scheduled";
  if (link.expires_at && now >= Date.parse(link.expires_at)) return "expired";
  return "active";
}
export const STATES = { active: "Active", disabled: "Paused", scheduled: "Scheduled", expired: "Expired" };

export const badge = (link) => {
  const state = stateOf(link);
  return html`<span class="badge ${state}">${STATES[state]}</span>`;
};

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${bare(text)}`);
  } catch {
    say(`Your browser does not let this page copy. The address is ${text}`);
  }
}

/** What went wrong, in the API's words, and the way on: `again` loads once more. It may be the `whole` screen. */
export function trouble(refusal, again, whole = false) {
  const { status, detail, retryAfter } = refusal;
  const wait = Math.max(retryAfter, 1);
  if (status === 429 && again) waitFor(refusal, again, wait);
  const title =
    { 0: "No connection", 403: "Not yours to see", 404: "Not found", 410: "Gone", 429: "Too many requests" }[status] ??
    (status >= 500 ? "Something went wrong" : "That did not work");
  return html`
    <section class="notice" role="alert">
      ${whole ? html`<h1 tabindex="-1">${title}</h1>` : html`<h2>${title}</h2>`}
      <p>${detail}</p>
      ${status === 429 && again ? html`<p class="quiet">Trying again in ${wait} s.</p>` : nothing}
      <div class="actions">
        ${again && ![403, 404, 410].includes(status)
          ? html`<button class="button" type="button" @click=${again}>Try again</button>`
          : nothing}
        <a class="button" href="#/">All links</a>
      </div>
    </section>
  `;
}

const awaited = new WeakSet();
function waitFor(refusal, again, seconds) {
  if (awaited.has(refusal)) return;
  awaited.add(refusal);
  const turn = arrivals;
  setTimeout(() => turn === arrivals && again(), seconds * 1000);
}

const mark = html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
  <rect width="32" height="32" rx="9"></rect>
  <path d="M14 18a4.6 4.6 0 0 0 6.600 0l3.200-3.200a4.660 4.660 0 0 0-6.600-6.600l-1.600 1.600"></path>
  <path d="M18 14a4.600 4.600 0 0 0-6.600 0l-3.200 3.200a4.660 4.660 0 0 0 6.600 6.600l1.600-1.600"></path>
</svg>`;

// The beginning

window.addEventListener("popstate", arrive);
window.addEventListener("signed-out", ({ detail }) => {
  frame.me = null;
  frame.signedOut = detail;
  arrive();
});
window.addEventListener("unreached", () => ((frame.unreached = true), draw()));
window.addEventListener("reached", () => ((frame.unreached = false), draw()));
window.addEventListener("online", again);
history.scrollRestoration = "manual";
root.replaceChildren();
arrive();
