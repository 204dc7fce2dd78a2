"use strict";
// Asks for the jobs once a second and shows them; what comes from the table only ever becomes text.
const list = document.getElementById("jobs");
const count = document.getElementById("count");
const error = document.getElementById("error");
const only = document.getElementById("only");
let told = { jobs: [], working: 0, failed: 0, looked: null };
const rows = new Map(); // by job: what it tells, and its row, which stays while that is the same

function element(name, kind, text) {
  const made = document.createElement(name);
  made.className = kind;
  made.textContent = text;
  return made;
}

// Control and format characters as escapes, so that no key reorders or hides what is shown.
function visible(text) {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => "\\u{" + char.codePointAt(0).toString(16) + "}");
}

function bytes(size) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) { size /= 1024; unit += 1; }
  return (unit ? size.toFixed(1) : size) + " " + units[unit];
}

function row(job) {
  const made = document.createElement("li");
  made.append(element("span", "name", visible(job.id)));
  const share = job.share === null ? "" : " " + Math.floor(job.share * 100) + " %";
  made.append(element("span", "state " + (job.inWork ? "work" : job.status), job.status + share));
  if (job.share !== null) {
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = job.share;
    bar.setAttribute("aria-label", "hashed of " + visible(job.id));
    made.append(bar);
  }
  const size = job.size === null ? "" : bytes(job.size);
  const facts = [size, job.updatedAt.slice(0, 19).replace("T", " ") + " UTC", job.infoHash].filter(Boolean);
  made.append(element("span", "more", facts.join(", ")));
  for (const [label, line] of [["Why", job.reason], ["Mend", job.hint]]) {
    if (!line) continue;
    const shown = element("span", "more", " " + visible(line));
    shown.prepend(element("span", "label", label + ":"));
    made.append(shown);
  }
  return made;
}

function rowOf(job) {
  const text = JSON.stringify(job);
  if (rows.get(job.id)?.text !== text) rows.set(job.id, { text, row: row(job) });
  return rows.get(job.id).row;
}

function show() {
  const { jobs, working, failed, looked } = told;
  const wanted = jobs.filter((job) => !only.value || (only.value === "work" ? job.inWork : job.status === only.value));
  const there = new Set(jobs.map((job) => job.id));
  for (const id of rows.keys()) if (!there.has(id)) rows.delete(id);
  const shown = wanted.map(rowOf);
  const keep = new Set(shown);
  for (const one of [...list.children]) if (!keep.has(one)) one.remove();
  shown.forEach((one, index) => {
    if (list.children[index] !== one) list.insertBefore(one, list.children[index] ?? null);
  });
  const among = looked === null ? "" : " among the last " + looked.toLocaleString("en") + " that changed";
  const text = jobs.length ? working + " in progress, " + failed + " failed" + among : "Nothing has happened yet";
  if (count.textContent !== text) count.textContent = text;
}

async function look() {
  try {
    const answer = await (await fetch("jobs.json", { cache: "no-store" })).json();
    error.hidden = !answer.error;
    error.textContent = answer.error || "";
    if (!answer.error) {
      told = answer;
      show();
    }
  } catch {
    error.hidden = false;
    error.textContent = "s3torrent has ended: start it again to see more.";
  }
  setTimeout(look, 1000);
}

only.addEventListener("change", () => {
  history.replaceState(null, "", only.value ? "#" + only.value : location.pathname);
  show();
});
only.value = location.hash.slice(1);
if (only.selectedIndex < 0) only.value = "";
look();
