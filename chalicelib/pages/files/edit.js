// A new link, or the fields of one that is there.

import { html, nothing } from "./lit-html.js";
import * as api from "./api.js";
import { bare, draw, drawn, go, linkAddress, momentText, say, STATES, stateOf, trouble } from "./app.js";
import { noteChange } from "./links.js";

/** How each field is called, in the form and where two versions are compared. */
const NAMES = {
  url: "Leads to",
  code: "Code",
  title: "Title",
  tags: "Tags",
  enabled: "Paused",
  starts_at: "Starts",
  expires_at: "Expires",
  expired_url: "Afterwards leads to",
  max_clicks: "Clicks at most",
  password: "Password",
  forward_query: "Pass on the query",
};
const LATER = ["enabled", "starts_at", "expires_at", "expired_url", "max_clicks", "password", "forward_query"];

// What the form holds is text, or true and false.

const minutes = (moment) => (moment ? moment.slice(0, 16) : "");
const momentOf = (text) => (text ? `${text}:00Z` : null);
const textOrNull = (text) => text.trim() || null;
const tagsOf = (text) => text.split(",").map((tag) => tag.trim()).filter(Boolean);
const numberOrNull = (text) => (/^\d+$/.test(text.trim()) ? Number(text) : textOrNull(text));

/** Of each field: the form's value of a link, and the API's value of what is in the form. */
const FIELDS = {
  url: [(link) => link.url, (text) => text.trim()],
  title: [(link) => link.title ?? "", textOrNull],
  tags: [(link) => link.tags.join(", "), tagsOf],
  enabled: [(link) => link.enabled, Boolean],
  starts_at: [(link) => minutes(link.starts_at), momentOf],
  expires_at: [(link) => minutes(link.expires_at), momentOf],
  expired_url: [(link) => link.expired_url ?? "", textOrNull],
  max_clicks: [(link) => String(link.max_clicks ?? ""), numberOrNull],
  forward_query: [(link) => link.forward_query, Boolean],
};
const EMPTY = { url: "", tags: [], enabled: true, forward_query: false };

function formOf(link) {
  const form = Object.fromEntries(Object.entries(FIELDS).map(([name, [read]]) => [name, read(link)]));
  return { ...form, code: link.code ?? "", password: "", no_password: false };
}

/** What of a form is not as in another one, as the API takes it. */
function changesOf(form, base) {
  const changes = {};
  for (const [name, [, write]] of Object.entries(FIELDS)) if (form[name] !== base[name]) changes[name] = write(form[name]);
  if (form.no_password) changes.password = null;
  else if (form.password) changes.password = form.password;
  return changes;
}

/** The field that a refusal is about, if it is about one. */
function fieldOf({ type, detail }, form) {
  const named = /\$\.(\w+)/.exec(detail)?.[1] ?? /'?\b(starts_at|expires_at|expired_url|max_clicks|password)\b/.exec(detail)?.[1];
  if (["invalid-code", "code-taken", "link-deleted"].includes(type)) return "code";
  if (type === "blocked-target") {
    const domain = /'([^']+)'/.exec(detail)?.[1];
    return !form.url.includes(domain) && form.expired_url.includes(domain) ? "expired_url" : "url";
  }
  if (type === "contradictory-times") return "expires_at";
  if (type === "invalid-url") return named ?? "url";
  if (named in NAMES) return named;
  if (/\btags?\b/i.test(detail)) return "tags";
  if (/\btitle\b/i.test(detail)) return "title";
  return null;
}

function randomText() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What somebody has typed outlives a reload, but not the tab, and never a password.

const draftName = (code) => `linkly-draft ${code ?? ""}`;

function readDraft(code) {
  return JSON.parse(sessionStorage.getItem(draftName(code)) ?? "null");
}

function keepDraft(code, version, form) {
  sessionStorage.setItem(draftName(code), JSON.stringify({ version, form: { ...form, password: "" } }));
}

function forgetDraft(code) {
  sessionStorage.removeItem(draftName(code));
}

export function open(place) {
  const { code } = place; // of a new link, there is none yet
  let link = null;
  let base = formOf(EMPTY);
  let form = base;
  let version = null;
  let problem = null; // that the link cannot be shown
  let refusal = null; // of what was to be saved
  let theirs = null; // the link as somebody else has changed it meanwhile
  let busy = false;
  let more = false;
  let once = { text: "", key: "" };

  async function load() {
    problem = null;
    try {
      link = await api.link(code);
      base = formOf(link);
      takeUp();
    } catch (error) {
      problem = error;
    }
    draw();
  }

  function takeUp() {
    const draft = readDraft(code);
    form = { ...base, ...draft?.form };
    version = draft?.version ?? link?.version;
    more = LATER.some((name) => form[name] !== formOf(EMPTY)[name]) || Boolean(link?.has_password);
  }

  function set(name, value) {
    form = { ...form, [name]: value };
    keepDraft(code, version, form);
    if (refusal && fieldOf(refusal, form) === name) refusal = null;
    draw();
  }

  async function save(event) {
    event?.preventDefault();
    if (busy) return;
    busy = true;
    refusal = null;
    draw();
    try {
      const saved = code ? await changeIt() : await createIt();
      forgetDraft(code);
      noteChange(saved.code, saved);
      say(code ? "Saved" : `Created ${bare(saved.short_url)}`);
      go(linkAddress(saved.code), { replace: true });
    } catch (error) {
      if (!(error instanceof api.Refusal)) throw error;
      if (error.status === 412) await meet(error);
      else refusal = error;
    }
    busy = false;
    draw();
    await drawn();
    (document.querySelector("[aria-invalid=true]") ?? document.querySelector(".notice, .versions h2"))?.focus();
  }

  function changeIt() {
    const changes = changesOf(form, base);
    return Object.keys(changes).length ? api.change(code, changes, version) : link;
  }

  function createIt() {
    const fields = { ...changesOf(form, formOf(EMPTY)), url: form.url.trim() };
    if (form.code.trim()) fields.code = form.code.trim();
    const text = JSON.stringify(fields);
    // The same again, after an answer that was lost, is the same link; anything else is another request.
    if (once.text !== text) once = { text, key: randomText() };
    return api.create(fields, once.key);
  }

  async function meet(stale) {
    try {
      theirs = await api.link(code);
    } catch (error) {
      refusal = error.status ? error : stale;
    }
  }

  function takeTheirs() {
    forgetDraft(code);
    link = theirs;
    base = formOf(link);
    theirs = null;
    takeUp();
    draw();
  }

  function keepMine() {
    const mine = Object.fromEntries(Object.entries(form).filter(([name, value]) => value !== base[name]));
    link = theirs;
    base = formOf(link);
    form = { ...base, ...mine };
    version = link.version;
    theirs = null;
    save();
  }

  if (code) load();
  else {
    takeUp();
    if (place.query.get("url")) form = { ...form, url: place.query.get("url") };
  }

  return {
    title: code ? `Edit ${code}` : "New link",
    again: () => (problem ? load() : undefined),
    move(next) {
      if (!code && next.query.get("url")) set("url", next.query.get("url"));
      return true;
    },
    view() {
      if (problem) return trouble(problem, load, true);
      if (code && !link) return html`<p class="quiet" aria-busy="true">Loading…</p>`;
      return theirs ? versions() : entry();
    },
  };

  // The form

  function entry() {
    const about = refusal && fieldOf(refusal, form);
    const shown = more || LATER.includes(about);
    return html`
      <p class="back">${code ? html`<a href=${linkAddress(code)}>← ${code}</a>` : html`<a href="#/">← Links</a>`}</p>
      <h1 tabindex="-1">${code ? html`Edit ${code}` : "New link"}</h1>
      <form class="card form edit" @submit=${save} novalidate>
        ${text("url", { type: "url", hint: "The address that visitors end at.", example: "https://example.com/a-long-address", first: true })}
        <div class="pair">
          ${code ? nothing : text("code", { class: "code", hint: "The short link's end. Empty: one is chosen.", example: "spring-sale" })}
          ${text("title", { hint: "What you call it; visitors never see it." })}
          ${code ? tags() : nothing}
        </div>
        ${code ? nothing : tags()}
        <details ?open=${shown} @toggle=${(event) => (more = event.target.open)}>
          <summary>Times, limits and more</summary>
          <div class="inside">
            ${check("enabled", "Paused", "Visitors are told that it is switched off.", true)}
            <div class="pair">
              ${text("starts_at", { type: "datetime-local", hint: "In UTC. Empty: at once." })}
              ${text("expires_at", { type: "datetime-local", hint: "In UTC. Empty: never." })}
            </div>
            ${text("expired_url", { type: "url", hint: "Where visitors go who come too late." })}
            <div class="pair">
              ${text("max_clicks", { numeric: true, hint: "After so many, it leads nowhere. Empty: no limit." })}
              ${password()}
            </div>
            ${check("forward_query", "Pass on the query", "What a visitor's address has after a question mark is added to the target's.")}
          </div>
        </details>
        ${refusal && !about ? problemOf(refusal) : nothing}
        <div class="actions">
          <a class="button" href=${code ? linkAddress(code) : "#/"} @click=${() => forgetDraft(code)}>Cancel</a>
          <button class="button primary" ?disabled=${busy}>${busy ? "Saving…" : code ? "Save" : "Create link"}</button>
        </div>
      </form>
    `;
  }

  function problemOf(refused) {
    return refused.status === 429 || refused.status === 0 || refused.status >= 500
      ? trouble(refused, save)
      : html`<p class="problem" role="alert">${refused.detail}</p>`;
  }

  function text(name, { type = "text", hint, example, first, numeric, ...options }) {
    const problem = refusal && fieldOf(refusal, form) === name ? refusal.detail : null;
    return html`
      <div class="field">
        <label for=${name}>${NAMES[name]}</label>
        <input
          id=${name} name=${name} type=${type} class=${options.class ?? ""} placeholder=${example ?? nothing}
          autocomplete=${type === "password" ? "new-password" : "off"} spellcheck=${name === "title" ? "true" : "false"}
          inputmode=${numeric ? "numeric" : nothing} ?data-first=${first} ?disabled=${options.disabled}
          .value=${form[name]} @input=${(event) => set(name, event.target.value)}
          aria-invalid=${problem ? "true" : "false"} aria-describedby=${problem ? `${name}-problem ${name}-hint` : `${name}-hint`}
        />
        ${problem ? html`<p class="problem" id=${`${name}-problem`} role="alert">${problem}</p>` : nothing}
        <p class="hint" id=${`${name}-hint`}>${hint}</p>
      </div>
    `;
  }

  function tags() {
    return text("tags", { hint: "Words to find it by, with commas between." });
  }

  function check(name, label, hint, negated = false) {
    return html`
      <label class="check">
        <input
          type="checkbox" name=${name} .checked=${negated ? !form[name] : form[name]}
          @change=${(event) => set(name, event.target.checked !== negated)}
        />
        <span>${label} <span class="hint">${hint}</span></span>
      </label>
    `;
  }

  function password() {
    const has = Boolean(link?.has_password);
    return html`
      <div>
        ${text("password", {
          type: "password",
          disabled: form.no_password,
          hint: has ? "It has one. Empty: it stays." : "Visitors are asked for it. Empty: none.",
        })}
        ${has ? check("no_password", "Ask for no password any more", "") : nothing}
      </div>
    `;
  }

  // Two versions, side by side

  function versions() {
    const differ = Object.keys(FIELDS).filter((name) => form[name] !== formOf(theirs)[name]);
    return html`
      <p class="back"><a href=${linkAddress(code)}>← ${code}</a></p>
      <h1 tabindex="-1">Edit ${code}</h1>
      <section class="card versions">
        <h2 tabindex="-1">It has been changed meanwhile</h2>
        <p>Somebody saved another version at ${momentText(theirs.updated_at)}. Nothing of yours is saved yet.</p>
        <div class="scroll" tabindex="0" role="region" aria-label="Both versions">
          <table>
            <thead><tr><th scope="col">Field</th><th scope="col">Yours</th><th scope="col">Theirs</th></tr></thead>
            <tbody>
              ${differ.map(
                (name) => html`<tr><th scope="row">${NAMES[name]}</th><td>${shownValue(name, form)}</td><td>${shownValue(name, formOf(theirs))}</td></tr>`,
              )}
              ${form.password || form.no_password
                ? html`<tr><th scope="row">${NAMES.password}</th><td>${form.no_password ? "None" : "A new one"}</td><td>As it is</td></tr>`
                : nothing}
            </tbody>
          </table>
        </div>
        <p class="quiet small">Theirs is ${STATES[stateOf(theirs)].toLowerCase()}. Saving yours changes only what you have changed.</p>
        <div class="actions">
          <button class="button" @click=${takeTheirs}>Take theirs</button>
          <button class="button primary" @click=${keepMine} ?disabled=${busy}>Save mine over it</button>
        </div>
      </section>
    `;
  }
}

function shownValue(name, form) {
  const value = form[name];
  if (name === "enabled") return value ? "No" : "Yes";
  if (typeof value === "boolean") return value ? "Yes" : "No";
  return value || html`<span class="quiet">None</span>`;
}
