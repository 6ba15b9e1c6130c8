// The links: newest first, searched and filtered, with the clicks of the last seven days beside each.

import { html, nothing } from "./lit-html.js";
import * as api from "./api.js";
import {
  address, badge, bare, copy, count, daysAgo, draw, drawn, frame, go, linkAddress, STATES, trouble, webAddress,
} from "./app.js";

const FILTERS = ["q", "tag", "state", "owner"];
const TYPING_PAUSE = 200;

/** What was found so far for a search. It outlives the screen, so that back leads to the same list at the same place. */
let found = nothingYet({});

function nothingYet(search) {
  return { search, links: [], clicks: new Map(), next: null, begun: false, loading: false, problem: null, scroll: 0, before: null };
}

const searchOf = (query) =>
  Object.fromEntries(FILTERS.map((name) => [name, query.get(name)]).filter(([, value]) => value));
const same = (one, other) => FILTERS.every((name) => (one[name] ?? "") === (other[name] ?? ""));

/** The list has changed elsewhere: a link is new, is other than before, or is gone (null). */
export function noteChange(code, link) {
  const at = found.links.findIndex((each) => each.code === code);
  if (link && at >= 0) found.links[at] = link;
  else if (link) found = nothingYet(found.search);
  else if (at >= 0) found.links.splice(at, 1);
}

let shown = null; // the key whose links these are
let reading = null;

async function load() {
  const list = found;
  reading?.abort();
  const mine = (reading = new AbortController());
  list.loading = true;
  list.problem = null;
  draw();
  try {
    do {
      const page = await api.links({ ...list.search, cursor: list.next }, mine.signal);
      list.begun = true;
      list.before = null;
      list.next = page.next;
      list.links.push(...page.items);
      learnClicks(list, page.items);
      draw();
    } while (list.next && list === found && !list.links.length); // a page of a search may be empty, and not the last one
  } catch (refusal) {
    if (refusal.name === "AbortError") return;
    list.problem = refusal;
  }
  list.loading = false;
  draw();
  await drawn();
  watchTheEnd();
}

async function learnClicks(list, links) {
  for (let at = 0; at < links.length; at += 50) {
    const codes = links.slice(at, at + 50).map((link) => link.code);
    try {
      for (const [code, clicks] of await api.clicksOf(codes, daysAgo(6), daysAgo(0))) list.clicks.set(code, clicks);
    } catch {
      return; // they stay unknown; the list itself says what is wrong, if it is more than that
    }
    draw();
  }
}

let end = null;
function watchTheEnd() {
  end?.disconnect();
  const more = document.getElementById("more");
  if (!more || found.problem) return;
  end = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && !found.loading && load(), { rootMargin: "400px" });
  end.observe(more);
}

export function open(place) {
  const search = searchOf(place.query);
  if (shown !== api.key() || !same(search, found.search)) found = nothingYet(search);
  shown = api.key();
  let loaded;
  if (!found.begun) loaded = load();
  else {
    learnClicks(found, found.links);
    drawn().then(watchTheEnd);
  }
  return {
    title: "Links",
    view,
    loaded,
    move(next) {
      const wanted = searchOf(next.query);
      if (!same(wanted, found.search)) {
        const before = found.begun ? found : found.before; // stays to be seen until there is something else
        found = { ...nothingYet(wanted), before };
        load();
      }
      return true;
    },
    leave() {
      clearTimeout(pause);
      found.scroll = window.scrollY;
      end?.disconnect();
    },
    again() {
      if (found.problem || !found.begun) load();
      else learnClicks(found, found.links);
    },
    get scroll() {
      return found.scroll;
    },
    keys: { j: () => step(1), k: () => step(-1) },
  };
}

function step(by) {
  const rows = [...document.querySelectorAll(".links a.to")];
  const at = rows.indexOf(document.activeElement?.closest(".link")?.querySelector("a.to"));
  rows[Math.min(Math.max(at + by, 0), rows.length - 1)]?.focus();
}

let pause;
function filter(change, wait = 0) {
  clearTimeout(pause);
  pause = setTimeout(() => go(address("", { ...found.search, ...change }), { replace: wait > 0 }), wait);
}
const typed = (name) => (event) => filter({ [name]: event.target.value.trim() }, TYPING_PAUSE);

function view() {
  const { search } = found;
  const filtered = FILTERS.some((name) => name !== "owner" && search[name]);
  return html`
    <h1 tabindex="-1" class=${found.begun && !found.links.length && !filtered ? "" : "unseen"}>Links</h1>
    <div class="finder" role="search" aria-label="Links">
      <input
        type="search" aria-label="Search code, address or title" placeholder="Search" maxlength="200"
        .value=${search.q ?? ""} @input=${typed("q")}
      />
      <input
        class="tag-filter" type="text" list="tags" aria-label="Tag" placeholder="Tag" maxlength="50" spellcheck="false"
        .value=${search.tag ?? ""} @input=${typed("tag")}
      />
      <datalist id="tags">
        ${[...new Set(found.links.flatMap((link) => link.tags))].sort().map((tag) => html`<option value=${tag}></option>`)}
      </datalist>
      <select aria-label="State" @change=${(event) => filter({ state: event.target.value })}>
        <option value="" ?selected=${!search.state}>All states</option>
        ${Object.entries(STATES).map(
          ([state, name]) => html`<option value=${state} ?selected=${search.state === state}>${name}</option>`,
        )}
      </select>
      ${frame.me?.role === "admin"
        ? html`<input
            class="owner-filter" type="text" aria-label="Owner" placeholder=${`Owner: ${frame.me.owner}`} spellcheck="false"
            .value=${search.owner ?? ""} @input=${typed("owner")}
          />`
        : nothing}
    </div>
    ${list(filtered)}
  `;
}

function list(filtered) {
  const { begun, loading, next, problem, before } = found;
  if (!begun && !before?.links.length) return problem ? trouble(problem, load) : waiting;
  const { links, clicks } = before ?? found;
  if (!links.length && !loading && !problem) return filtered ? noMatch() : empty();
  const most = Math.max(1, ...clicks.values());
  return html`
    ${problem ? trouble(problem, load) : nothing}
    <div class="links-head" aria-hidden="true"><span>Link</span><span>7 days</span></div>
    <ul class="links" aria-label="Links, newest first" aria-busy=${String(Boolean(before))}>
      ${links.map((link) => row(link, clicks.get(link.code), most))}
    </ul>
    ${next && !problem && !before
      ? html`<div class="more" id="more">
          <button class="button" @click=${load} ?disabled=${loading}>${loading ? "Loading…" : "More"}</button>
        </div>`
      : nothing}
  `;
}

function row(link, clicks, most) {
  const owners = found.search.owner;
  return html`
    <li class="link">
      <div class="what">
        <div class="line">
          <a class="to" href=${linkAddress(link.code)}>${link.code}</a>
          ${link.enabled && !link.starts_at && !link.expires_at ? nothing : badge(link)}
          <span class="title">${link.title}</span>
        </div>
        <div class="line">
          <a class="target" href=${webAddress(link.url)} rel="noreferrer" target="_blank" title=${link.url}>${bare(link.url)}</a>
        </div>
      </div>
      <div class="tags">
        ${link.tags.map((tag) => html`<button class="tag" @click=${() => filter({ tag })} title="Filter by this tag">${tag}</button>`)}
        ${owners && owners !== frame.me?.owner ? html`<span class="quiet small">${link.owner}</span>` : nothing}
      </div>
      <a class="clicks" href=${linkAddress(link.code, "", { days: 7 })} aria-label=${`${count(clicks)} clicks in 7 days`}>
        <span class="number">${count(clicks)}</span>
        <svg class="share" aria-hidden="true"><rect width=${`${(100 * (clicks ?? 0)) / most}%`} height="100%" rx="1.5"></rect></svg>
      </a>
      <button class="plain" @click=${() => copy(link.short_url)} aria-label=${`Copy ${bare(link.short_url)}`}>Copy</button>
    </li>
  `;
}

const waiting = html`<ul class="links waiting" aria-label="Loading">
  ${Array.from({ length: 8 }, () => html`<li class="link"><div class="what"><i></i><i></i></div></li>`)}
</ul>`;

const noMatch = () => html`
  <section class="notice">
    <h2>No link matches</h2>
    <p>Nothing has this in its code, address or title, with these filters.</p>
    <a class="button" href=${address("", { owner: found.search.owner })}>Show all</a>
  </section>
`;

function empty() {
  function shorten(event) {
    event.preventDefault();
    go(address("new", { url: new FormData(event.target).get("url").trim() }));
  }
  return html`
    <section class="notice first">
      <h2>${found.search.owner ? `${found.search.owner} has no links` : "Your first link"}</h2>
      <p>Paste a long address. It gets a short one, and you see who follows it.</p>
      <form class="one-line" @submit=${shorten} novalidate>
        <input name="url" type="url" aria-label="Where it leads" placeholder="https://example.com/a-long-address" />
        <button class="button primary">Shorten</button>
      </form>
    </section>
  `;
}
