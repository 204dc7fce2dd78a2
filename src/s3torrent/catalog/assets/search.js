// Of a catalogue by s3torrent.
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
  whole = null;
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

// All texts as one, and where each begins: one scan finds a word in all rows, several times as fast as asking each.
let whole = null;

function joined() {
  if (!whole) {
    const starts = new Uint32Array(texts.length + 1);
    texts.forEach((text, index) => { starts[index + 1] = starts[index] + text.length + 1; });
    whole = { text: `${texts.join("\0")}\0`, starts };
  }
  return whole;
}

// Counts up the rows that hold the term.
function mark(marks, term) {
  const { text, starts } = joined();
  let row = 0;
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, starts[row])) {
    while (starts[row + 1] <= at) row += 1;
    marks[row] += 1;
    row += 1;
  }
}

// The same where the term may begin an info-hash.
function markHash(marks, term) {
  rows.forEach(({ v1, v2 }, row) => {
    if (texts[row].includes(term) || v1.startsWith(term) || v2.startsWith(term)) marks[row] += 1;
  });
}

// Of a magnet link, or of the name that it gives a torrent, the info-hash.
const hashOf = (query) => /\burn:bt(?:ih:|mh:1220)([0-9a-f]{40,64})/i.exec(query)?.[1] ?? query;

function find({ find: number, query, sort, descending, start, count }) {
  const terms = [...new Set(plain(hashOf(query)).split(/[\s\0]+/).filter(Boolean))];
  const marks = new Uint16Array(rows.length);
  for (const term of terms) (/^[0-9a-f]{6,64}$/.test(term) ? markHash : mark)(marks, term);
  const all = order(sort);
  const page = [];
  let total = 0;
  for (let step = 0; step < all.length; step += 1) {
    const row = all[descending ? all.length - 1 - step : step];
    if (marks[row] === terms.length) {
      if (total >= start && page.length < count) page.push(rows[row]);
      total += 1;
    }
  }
  postMessage({ found: number, total, rows: page, loaded, parts });
}

onmessage = ({ data }) => (data.load ? load(data.load) : find(data));
