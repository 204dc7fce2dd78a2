"use strict";
// Asks for the jobs once a second and shows them; what comes from the table only ever becomes text.
const list = document.getElementById("jobs");
const count = document.getElementById("count");
const error = document.getElementById("error");
const only = document.getElementById("only");
let jobs = [];

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
  for (const line of [job.reason, job.hint].filter(Boolean)) made.append(element("span", "more", visible(line)));
  return made;
}

function show() {
  const wanted = jobs.filter((job) => !only.value || (only.value === "work" ? job.inWork : job.status === only.value));
  list.replaceChildren(...wanted.map(row));
  const working = jobs.filter((job) => job.inWork).length;
  const failed = jobs.filter((job) => job.status === "FAILED").length;
  const told = jobs.length + " newest, " + working + " in progress, " + failed + " failed";
  if (count.textContent !== told) count.textContent = told;
}

async function look() {
  try {
    const answer = await (await fetch("jobs.json", { cache: "no-store" })).json();
    error.hidden = !answer.error;
    error.textContent = answer.error || "";
    if (!answer.error) {
      jobs = answer.jobs;
      show();
    }
  } catch {
    error.hidden = false;
    error.textContent = "s3torrent has ended: start it again to see more.";
  }
  setTimeout(look, 1000);
}

only.addEventListener("change", show);
look();
