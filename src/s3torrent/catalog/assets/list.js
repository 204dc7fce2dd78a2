// Of a catalogue by s3torrent.
// The list of the first page: search as one types, sort, pages. The rows that came with the page stay until
// somebody asks for others; all torrents are fetched only then, by search.js.
"use strict";

const SCREEN = 25; // rows that are shown before the others: a key stroke is to be seen at once
const PAUSE = 120; // ms until the others follow, so that who types on does not wait for them
const FEW = 8; // shards that are fetched unasked, once the page is there
const data = JSON.parse(document.getElementById("data").textContent);
const PAGE = data.shown < data.count ? data.shown : 100;
const body = document.getElementById("rows");
const state = document.getElementById("state");
const query = document.getElementById("query");
const heads = [...document.querySelectorAll("th[data-sort]")];
const pager = { all: document.getElementById("pager"), back: document.getElementById("back"), on: document.getElementById("on"), where: document.getElementById("where") };
const wanted = { query: "", sort: "date", descending: true, start: 0 };
let worker = null;
let asked = 0;
let answered = 0;
let told = { loaded: 0, parts: data.shards.length, failed: 0 };

// Text and numbers, as text.py shows them ------------------------------------------------------------------

const UNSEEN = /[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\u{e0000}-\u{e007f}]/gu;
const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const number = (count) => count.toLocaleString("en");

function escaped(char) {
  const code = char.codePointAt(0);
  const hex = code.toString(16);
  return SHORT[char] ?? (code < 0x100 ? `\\x${hex.padStart(2, "0")}` : code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`);
}

function show(place, text) {
  let end = 0;
  for (const match of text.matchAll(UNSEEN)) {
    const mark = document.createElement("span");
    mark.className = "esc";
    mark.textContent = escaped(match[0]);
    place.append(text.slice(end, match.index), mark);
    end = match.index + match[0].length;
  }
  place.append(text.slice(end));
}

function sizeText(count) {
  let unit = 0;
  while (unit < UNITS.length - 1 && Math.floor(count / 1024 ** unit) >= 1024) unit += 1;
  if (!unit) return `${count} byte${count === 1 ? "" : "s"}`;
  const tenths = Number((BigInt(count) * 10n + (1n << BigInt(10 * unit - 1))) >> BigInt(10 * unit));
  return `${Math.floor(tenths / 10)}.${tenths % 10} ${UNITS[unit]}`;
}

function dateText(date) {
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

// Addresses, as links.py and entry.py write them -----------------------------------------------------------

const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
const encodeKey = (key) => key.split("/").map(encode).join("/");
const fill = (template, key) => template.replace("{key}", () => encodeKey(key));
const isFolder = (row) => row.key.endsWith("/");
const reachable = (key) => !key.split("/").some((part) => part === "." || part === "..");
const torrentKey = (row) => `${isFolder(row) ? row.key.slice(0, -1) : row.key}.torrent`;
const baseName = (key) => key.replace(/\/$/, "").split("/").at(-1);

function harmless(url) {
  if (!url) return null;
  return /^(https?|magnet):/i.test(url) || /^(\.\.\/|t\/)/.test(url) ? url : null;
}

function magnet(row) {
  const terms = [];
  if (row.v1) terms.push(`xt=urn:btih:${row.v1}`);
  if (row.v2) terms.push(`xt=urn:btmh:1220${row.v2}`);
  terms.push(`dn=${encode(row.name || baseName(row.key))}`);
  terms.push(...row.trackers.map((url) => `tr=${encode(url)}`));
  terms.push(...row.seeds.map((seed) => `ws=${encode(fill(seed, row.key))}`));
  return `magnet:?${terms.join("&")}`;
}

function direct(row) {
  if (isFolder(row) || !reachable(row.key)) return null;
  return row.seeds.map((seed) => fill(seed, row.key)).find((url) => !url.endsWith("/")) ?? null;
}

function torrent(row) {
  if (!reachable(row.key)) return null;
  if (data.torrents) return fill(data.torrents, torrentKey(row));
  const url = direct(row);
  const encoded = encodeKey(row.key);
  return url?.endsWith(encoded) ? url.slice(0, -encoded.length) + encodeKey(torrentKey(row)) : null;
}

// Rows -----------------------------------------------------------------------------------------------------

function cell(tag, role, name) {
  const made = document.createElement(tag);
  made.setAttribute("role", role);
  made.className = name;
  return made;
}

function link(place, id, label, index, href) {
  const safe = harmless(href);
  if (!safe) return null;
  const made = document.createElement("a");
  made.className = "act";
  made.id = `${id}${index}`;
  made.setAttribute("aria-labelledby", `${id}${index} n${index}`);
  made.href = safe;
  made.textContent = label;
  place.append(made);
  return made;
}

function rowOf(row, index) {
  const made = document.createElement("tr");
  made.setAttribute("role", "row");
  const name = row.name || baseName(row.key);
  const folder = row.key.replace(/\/$/, "").split("/").slice(0, -1).map((part) => `${part}/`).join("");
  const what = cell("th", "rowheader", "what");
  what.scope = "row";
  const title = document.createElement("a");
  title.className = "name";
  title.id = `n${index}`;
  title.href = `t/${row.id}.html`;
  title.append(document.createElement("bdi"));
  show(title.firstChild, name);
  what.append(title);
  const where = folder + (row.name ? baseName(row.key) : "");
  if (where) {
    const path = document.createElement("span");
    path.className = "path";
    path.append(document.createElement("bdi"));
    show(path.firstChild, where);
    what.append(" ", path);
  }
  const size = cell("td", "cell", "size");
  size.textContent = sizeText(row.size);
  const date = cell("td", "cell", "date");
  const time = document.createElement("time");
  const instant = new Date(row.at * 1000);
  time.dateTime = instant.toISOString().replace(".000Z", "Z");
  time.textContent = dateText(instant);
  date.append(time);
  const acts = cell("td", "cell", "acts");
  link(acts, "m", "Magnet", index, magnet(row));
  const button = document.createElement("button");
  button.type = "button";
  button.className = "act copy";
  button.id = `c${index}`;
  button.setAttribute("aria-labelledby", `c${index} n${index}`);
  button.textContent = "Copy magnet";
  acts.append(button);
  link(acts, "t", ".torrent", index, torrent(row))?.setAttribute("download", "");
  link(acts, "d", "Direct", index, direct(row));
  made.append(what, size, date, acts);
  return made;
}

// Asking and showing ---------------------------------------------------------------------------------------

function start() {
  if (worker) return;
  worker = new Worker(new URL("assets/search.js", location.href));
  worker.onmessage = ({ data: answer }) => ("found" in answer ? showFound(answer) : showLoaded(answer));
  worker.onerror = () => { state.textContent = "The list could not be read; reload the page to try again"; };
  worker.postMessage({ load: data.shards.map((path) => new URL(path, location.href).href) });
}

function ask() {
  start();
  asked += 1;
  worker.postMessage({ find: asked, ...wanted, count: PAGE });
}

function showLoaded(answer) {
  told = answer;
  const quarter = Math.max(1, Math.floor(answer.parts / 4));
  if (asked && (answer.loaded === answer.parts || answer.loaded % quarter === 0)) ask();
}

function showFound(answer) {
  if (answer.found < asked) return; // a newer question is under way
  answered = answer.found;
  if (answer.total && wanted.start >= answer.total && answer.loaded === answer.parts) {
    turnTo(PAGE * Math.floor((answer.total - 1) / PAGE)); // an old address of a list that was longer
    return;
  }
  const { start: from } = wanted;
  const end = Math.min(from + PAGE, answer.total);
  body.replaceChildren(...answer.rows.slice(0, SCREEN).map(rowOf));
  setTimeout(() => {
    if (answered !== answer.found) return;
    body.append(...answer.rows.slice(SCREEN).map((row, index) => rowOf(row, SCREEN + index)));
    document.body.dataset.shown = String(answered);
  }, PAUSE);
  const whole = answer.loaded === answer.parts;
  const so = whole ? "" : `, ${Math.floor((100 * answer.loaded) / answer.parts)}% of the list searched`;
  const torrents = `torrent${answer.total === 1 ? "" : "s"}`;
  const range = answer.total > PAGE ? `${number(from + 1)} to ${number(end)} of ` : "";
  const missing = told.failed ? "; a part of the list could not be read, reload the page to try again" : "";
  if (answer.total) state.textContent = `${range}${number(answer.total)} ${torrents}${wanted.query ? " found" : ""}${so}${missing}`;
  else if (whole && told.failed === told.parts) state.textContent = "The list could not be read; reload the page to try again";
  else state.textContent = whole ? `Nothing found for “${wanted.query}”${missing}` : `Searching${so}`;
  pages(from, end, answer.total);
  document.body.dataset.answered = String(answered);
}

function pages(from, end, total) {
  pager.all.hidden = total <= PAGE;
  pager.back.disabled = from === 0;
  pager.on.disabled = end >= total;
  pager.where.textContent = `Page ${number(Math.floor(from / PAGE) + 1)} of ${number(Math.max(1, Math.ceil(total / PAGE)))}`;
}

function remember() {
  const told = new URLSearchParams();
  if (wanted.query) told.set("q", wanted.query);
  if (wanted.sort !== "date" || !wanted.descending) told.set("sort", (wanted.descending ? "-" : "") + wanted.sort);
  if (wanted.start) told.set("from", String(wanted.start));
  try {
    history.replaceState(null, "", told.size ? `?${told}` : location.pathname);
  } catch {
    // Safari allows it 100 times in half a minute; the next one tells all.
  }
}

function change(values) {
  Object.assign(wanted, { start: 0 }, values);
  for (const head of heads) {
    if (head.dataset.sort === wanted.sort) head.setAttribute("aria-sort", wanted.descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  remember();
  ask();
}

function turnTo(start) {
  change({ start });
}

function turn(step) {
  turnTo(Math.max(0, wanted.start + step * PAGE));
  document.getElementById("main").focus({ preventScroll: true });
  document.getElementById("find").scrollIntoView();
}

function begin() {
  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const sort = head.dataset.sort;
      change({ sort, descending: wanted.sort === sort ? !wanted.descending : sort !== "name" });
    });
  }
  document.getElementById("find").addEventListener("submit", (event) => event.preventDefault());
  query.addEventListener("input", () => change({ query: query.value.trim() }));
  query.addEventListener("focus", start, { once: true });
  query.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && query.value) {
      query.value = "";
      change({ query: "" });
      event.preventDefault();
    }
  });
  pager.back.addEventListener("click", () => turn(-1));
  pager.on.addEventListener("click", () => turn(1));
  document.getElementById("find").hidden = false;
  pages(0, data.shown, data.count);
  pager.on.disabled = data.shown >= data.count;
  const before = new URLSearchParams(location.search);
  const told = before.get("sort") ?? "";
  const [, down, sort] = /^(-?)(name|size|date)$/.exec(told) ?? ["", "-", "date"];
  const from = Number(before.get("from") ?? 0);
  if (before.size) {
    query.value = before.get("q") ?? "";
    change({
      query: query.value.trim(),
      sort,
      descending: Boolean(down),
      start: Number.isSafeInteger(from) && from > 0 ? from : 0,
    });
  } else if (data.shards.length <= FEW) {
    addEventListener("load", () => setTimeout(start, 200));
  }
}

// A file that was opened from a disk has no worker and nothing to fetch: it stays the plain list it is.
if (location.protocol !== "file:" && data.count) begin();
