// Signing in: a key, which is kept for the tab.

import { html, nothing } from "./lit-html.js";
import * as api from "./api.js";
import { draw, frame, go } from "./app.js";

export function open(place) {
  let problem = null;
  let busy = false;
  let shown = false;

  async function submit(event) {
    event.preventDefault();
    const key = new FormData(event.target).get("key").trim();
    if (busy) return;
    if (!/^lk_\w+_\w+$/.test(key)) {
      problem = "That is no key. One looks like lk_<id>_<secret>.";
      return draw();
    }
    busy = true;
    problem = null;
    draw();
    api.keepKey(key);
    try {
      frame.me = await api.me();
      frame.signedOut = null;
      go(place.hash || "#/", { replace: true });
    } catch (refusal) {
      api.forgetKey();
      problem = refusal.detail;
    }
    busy = false;
    draw();
  }

  function show(event) {
    shown = event.target.checked;
    draw();
  }

  const reason = () => problem ?? frame.signedOut;

  return {
    title: "Sign in",
    move: () => true, // whatever the address: it is where one goes from here
    view: () => html`
      <section class="sign-in">
        <h1 tabindex="-1">Sign in</h1>
        <p class="quiet">Your links, and who follows them.</p>
        <form class="card form" @submit=${submit} novalidate>
          <div class="field">
            <label for="key">Your API key</label>
            <input
              id="key"
              name="key"
              class="code"
              data-first
              type=${shown ? "text" : "password"}
              autocomplete="current-password"
              spellcheck="false"
              placeholder="lk_…"
              aria-invalid=${reason() ? "true" : "false"}
              aria-describedby=${reason() ? "key-problem" : nothing}
            />
            ${reason() ? html`<p class="problem" id="key-problem" role="alert">${reason()}</p>` : nothing}
          </div>
          <label class="check"><input type="checkbox" @change=${show} /> Show it</label>
          <div class="actions"><button class="button primary" ?disabled=${busy}>${busy ? "Signing in…" : "Sign in"}</button></div>
        </form>
        <p class="quiet small">
          It stays in this tab, and is forgotten when you close it. Whoever runs this shortener gives you one.
        </p>
      </section>
    `,
  };
}
