// Of a catalogue by s3torrent.
// A row of the list, out of what search.js tells of a torrent: the same as row.html makes of it.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);

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
const besides = (url) => (url.endsWith("/") ? url : `${url}/`);
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
  if (isFolder(row)) return row.seeds.length ? `${besides(fill(row.seeds[0], row.key))}${encode(row.name || baseName(row.key))}.torrent` : null;
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
