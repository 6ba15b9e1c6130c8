// The API of Linkly: the only module that talks to it. What each call takes and answers is described in openapi.json.

const ROOT = new URL("../..", import.meta.url);
const STORED_KEY = "linkly-key";

/** What went wrong with a request. `status` is 0 if there was no answer; `detail` is the API's sentence. */
export class Refusal extends Error {
  constructor(status, detail, type = "", retryAfter = 0) {
    super(detail);
    Object.assign(this, { status, detail, type: type.replace("urn:linkly:problem:", ""), retryAfter });
  }
}

/** The key of whoever is signed in, or null. It is kept for the tab, and sent with each request but in no address. */
export const key = () => sessionStorage.getItem(STORED_KEY);

export function keepKey(text) {
  sessionStorage.setItem(STORED_KEY, text);
}

export function forgetKey() {
  sessionStorage.removeItem(STORED_KEY);
}

async function ask(method, path, { query = {}, body, headers = {}, signal } = {}) {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) if (each !== "" && each != null) url.searchParams.append(name, each);
  }
  const sent = key();
  let answer;
  try {
    answer = await fetch(url, {
      method,
      signal,
      cache: "no-store",
      credentials: "omit",
      headers: { Authorization: `Bearer ${sent}`, ...(body ? { "Content-Type": "application/json" } : {}), ...headers },
      body: body && JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    reach(false);
    throw new Refusal(0, "Linkly cannot be reached. Check your connection.");
  }
  reach(true);
  if (answer.ok) return answer;
  const refusal = await refusalOf(answer);
  if (answer.status === 401 && sent === key()) {
    forgetKey();
    window.dispatchEvent(new CustomEvent("signed-out", { detail: refusal.detail }));
  }
  throw refusal;
}

async function refusalOf(answer) {
  const retryAfter = Number(answer.headers.get("Retry-After")) || 0;
  try {
    const problem = await answer.json();
    return new Refusal(answer.status, problem.detail ?? problem.message, problem.type, retryAfter);
  } catch {
    return new Refusal(answer.status, `The server answered ${answer.status}, and did not say why.`, "", retryAfter);
  }
}

let reached = true;
function reach(now) {
  if (reached !== now) window.dispatchEvent(new CustomEvent(now ? "reached" : "unreached"));
  reached = now;
}

const json = async (...request) => (await ask(...request)).json();
const path = (room, code) => `${room}/${encodeURIComponent(code)}`;
const ifMatch = (version) => ({ "If-Match": `"${version}"` });

export const me = () => json("GET", "me");

/** A page of links: `{items, next}`. `search` has q, tag, state, owner and cursor, or some of them. */
export const links = (search, signal) => json("GET", "links", { query: { limit: 50, ...search }, signal });

export const link = (code) => json("GET", path("links", code));

export const create = (fields, idempotencyKey) =>
  json("POST", "links", { body: fields, headers: { "Idempotency-Key": idempotencyKey } });

/** Change of a link what is given, if it is still at this version. */
export const change = (code, fields, version) =>
  json("PATCH", path("links", code), { body: fields, headers: ifMatch(version) });

export const remove = (code, version) => ask("DELETE", path("links", code), { headers: ifMatch(version) });

/** The clicks of up to 50 links between two days, as a map by code. */
export async function clicksOf(codes, from, to) {
  const { items } = await json("GET", "stats", { query: { code: codes, from, to } });
  return new Map(items.map(({ code, clicks }) => [code, clicks]));
}

/** A link's clicks of all time. */
export const total = async (code) => (await json("GET", path("stats", code), { query: { days: 1 } })).total;

/** A link's clicks between two days, broken down by some dimensions. */
export const report = (code, { from, to, by = [], limit }) =>
  json("GET", path("stats", code), { query: { from, to, by: by.join(","), limit } });

export const csv = async (code, { from, to, by }) =>
  (await ask("GET", path("stats", code), { query: { from, to, by: by.join(","), limit: 1000, format: "csv" } })).blob();

/** How many links were created on each of the last days; for admins. */
export const linksByDay = async (days) => (await json("GET", "analytics/links", { query: { days } })).by_day;

/** Where the QR code of a link is drawn. */
export const qrCode = (code) => new URL(`${path("links", code)}/qr.svg`, ROOT).href;
