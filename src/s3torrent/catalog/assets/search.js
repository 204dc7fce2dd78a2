// Holds all torrents of the catalogue, in a thread of its own: finds, sorts, and hands out a page of rows.
//
// In:  {load: [url, ...]} once; {find: number, query, sort, descending, start, count}
// Out: {loaded, parts, failed} as shards come; {found: number, total, rows, loaded, parts}
// A row is {id, key, size, at, v1, v2, torrentSize, trackers, seeds, name}; docs/catalog.md has the format.
"use strict";

const AT_ONCE = 8;
const rows = [];
const texts = []; // what is searched in, beside each row
const orders = new Map();
let loaded = 0;
let parts = 0;
let failed = 0;

// As people type it: no capitals, no accents.
const plain = (text) => {
  const lower = text.toLowerCase();
  return /^[\x00-\x7f]*$/.test(lower) ? lower : lower.normalize("NFKD").replace(/\p{M}/gu, "");
};

function take(shard) {
  const { trackers, seeds } = shard;
  for (const [id, key, size, at, v1, v2, torrentSize, tracker, seed, name] of shard.rows) {
    rows.push({ id, key, size, at, v1, v2, torrentSize, trackers: trackers[tracker], seeds: seeds[seed], name });
    texts.push(plain(name ? `${key}\n${name}` : key));
  }
  orders.clear();
}

async function load(urls) {
  parts = urls.length;
  const waiting = urls.slice();
  const next = async () => {
    for (let url = waiting.shift(); url; url = waiting.shift()) {
      try {
        const answer = await fetch(url);
        if (!answer.ok) throw new Error(`${answer.status}`);
        take(await answer.json());
      } catch {
        failed += 1;
      }
      loaded += 1;
      postMessage({ loaded, parts, failed });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

const last = (key) => key.slice(key.lastIndexOf("/", key.length - 2) + 1);
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

function order(sort) {
  if (!orders.has(sort)) {
    const found = Uint32Array.from(rows.keys());
    const by = {
      date: (a, b) => rows[a].at - rows[b].at,
      size: (a, b) => rows[a].size - rows[b].size,
    };
    if (sort === "name") {
      const names = rows.map((row) => row.name || last(row.key));
      found.sort((a, b) => collator.compare(names[a], names[b]) || a - b);
    } else {
      found.sort((a, b) => by[sort](a, b) || (rows[a].key < rows[b].key ? 1 : -1));
    }
    orders.set(sort, found);
  }
  return orders.get(sort);
}

// What was found last: who types on looks only there.
let before = { sort: "", text: "", size: -1, found: null };

function find({ find: number, query, sort, descending, start, count }) {
  const text = plain(query);
  const terms = text.split(/\s+/).filter(Boolean);
  const hashes = terms.map((term) => /^[0-9a-f]{6,64}$/.test(term));
  const matches = (index) => {
    const own = texts[index];
    for (let at = 0; at < terms.length; at += 1) {
      const term = terms[at];
      if (own.includes(term)) continue;
      if (!hashes[at] || !(rows[index].v1.startsWith(term) || rows[index].v2.startsWith(term))) return false;
    }
    return true;
  };
  const narrower =
    before.sort === sort && before.size === rows.length && text.startsWith(before.text) && !hashes.includes(true);
  const among = narrower ? before.found : order(sort);
  const found = terms.length ? among.filter(matches) : order(sort);
  before = { sort, text, size: rows.length, found };
  const page = [];
  for (let step = start; step < Math.min(start + count, found.length); step += 1) {
    page.push(rows[found[descending ? found.length - 1 - step : step]]);
  }
  postMessage({ found: number, total: found.length, rows: page, loaded, parts });
}

onmessage = ({ data }) => (data.load ? load(data.load) : find(data));
