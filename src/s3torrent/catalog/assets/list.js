// Of a catalogue by s3torrent.
// The list of the first page: search as one types, sort, pages. The rows that came with the page stay until
// somebody asks for others; all torrents are fetched only then, by search.js. rows.js makes the rows.
"use strict";

const SCREEN = 25; // rows that are shown before the others: a key stroke is to be seen at once
const PAUSE = 120; // ms until the others follow, so that who types on does not wait for them
const FEW = 8; // shards that are fetched unasked, once the page is there
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

// Asking and showing ---------------------------------------------------------------------------------------

function start() {
  if (worker) return;
  worker = new Worker(new URL(data.search, location.href));
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
    change({ start: PAGE * Math.floor((answer.total - 1) / PAGE) }); // an old address of a list that was longer
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

const OWN = ["q", "sort", "from"]; // of the address; what else stands there is none of ours

function remember(step) {
  const told = new URLSearchParams();
  if (wanted.query) told.set("q", wanted.query);
  if (wanted.sort !== "date" || !wanted.descending) told.set("sort", (wanted.descending ? "-" : "") + wanted.sort);
  if (wanted.start) told.set("from", String(wanted.start));
  try {
    history[step ? "pushState" : "replaceState"](null, "", told.size ? `?${told}` : location.pathname);
    keepPlace();
  } catch {
    // Safari allows it 100 times in half a minute; the next one tells all.
  }
}

// Where the way back from a torrent's page leads (catalog.js).
function keepPlace() {
  sessionStorage.setItem(`list ${new URL(".", location.href).pathname}`, location.search);
}

function change(values, step = false) {
  Object.assign(wanted, { start: 0 }, values);
  remember(step);
  showWanted();
}

function showWanted() {
  for (const head of heads) {
    if (head.dataset.sort === wanted.sort) head.setAttribute("aria-sort", wanted.descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  ask();
}

// What the address asks for.
function addressed() {
  const told = new URLSearchParams(location.search);
  const [, down, sort] = /^(-?)(name|size|date)$/.exec(told.get("sort") ?? "") ?? ["", "-", "date"];
  const from = Number(told.get("from") ?? 0);
  const start = Number.isSafeInteger(from) && from > 0 ? from : 0;
  query.value = told.get("q") ?? "";
  Object.assign(wanted, { query: query.value.trim(), sort, descending: Boolean(down), start });
  return OWN.some((name) => told.has(name));
}

function turn(step) {
  change({ start: Math.max(0, wanted.start + step * PAGE) }, true);
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
  addEventListener("popstate", () => {
    addressed();
    showWanted();
  });
  try {
    keepPlace();
  } catch {
    // Then the way back leads to the whole list.
  }
  if (addressed()) showWanted();
  else if (data.shards.length <= FEW) {
    addEventListener("load", () => setTimeout(start, 200));
  }
}

// A file that was opened from a disk has no worker and nothing to fetch: it stays the plain list it is.
if (location.protocol !== "file:" && data.count) begin();
else if (data.count) state.textContent += ". Searching and sorting need a web server: python3 -m http.server in this folder";
