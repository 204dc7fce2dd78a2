// Of a catalogue by s3torrent.
// What every page of the catalogue has: the theme, the copy button, the key that leads to the search.
"use strict";

const root = document.documentElement;
const said = document.getElementById("said");

function say(text) {
  said.textContent = "";
  // The same words twice are told twice only if they went away in between.
  setTimeout(() => { said.textContent = text; }, 30);
}

// Theme ----------------------------------------------------------------------------------------------------

const theme = document.getElementById("theme");
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);

function showTheme() {
  theme.textContent = isDark() ? "Light theme" : "Dark theme";
}

theme.hidden = false;
showTheme();
systemDark.addEventListener("change", showTheme);
theme.addEventListener("click", () => {
  const wanted = isDark() ? "light" : "dark";
  root.dataset.theme = wanted;
  try {
    localStorage.setItem("theme", wanted);
  } catch {
    // It holds for this page alone.
  }
  showTheme();
});

// Copying --------------------------------------------------------------------------------------------------

async function copy(text) {
  if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
  // Buckets' own websites speak http, where there is no clipboard but by selection.
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "sr";
  area.setAttribute("aria-hidden", "true");
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the browser did not copy");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  const place = button.parentElement;
  const name = (button.closest("tr") ?? document).querySelector("#n0, .name").textContent;
  try {
    await copy(place.querySelector('a[href^="magnet:"]').getAttribute("href"));
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy magnet"; }, 2000);
    say(`Magnet link of ${name} copied`);
  } catch {
    say(`The magnet link of ${name} could not be copied; copy it from the link beside the button`);
  }
  button.focus();
});

for (const button of document.querySelectorAll("button.copy")) button.hidden = false;

// The way back to the list, as it was left in this tab ------------------------------------------------------

const way = document.querySelector("a.way");
if (way) {
  try {
    const place = sessionStorage.getItem(`list ${new URL(".", way.href).pathname}`);
    if (place) way.setAttribute("href", way.getAttribute("href") + place);
  } catch {
    // It leads to the whole list.
  }
}

// Keys -----------------------------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  const query = document.getElementById("query");
  if (!query || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !event.target.closest("input, textarea, select")) {
    event.preventDefault();
    query.focus();
    query.select();
  }
});
