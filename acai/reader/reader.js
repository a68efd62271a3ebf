"use strict";
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const equations = all(".row.equation");

// Tabs: a click, or the keys ←, →, Home and End within a list of tabs.
function select(tab) {
  for (const other of all("[role=tab]", tab.parentElement)) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", chosen);
    other.tabIndex = chosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
  }
}
document.addEventListener("click", event => {
  const tab = event.target.closest("[role=tab]");
  if (tab) select(tab);
  if (event.target.closest("#contents a")) document.getElementById("contents").open = false;
});
document.addEventListener("keydown", event => {
  const tab = event.target.closest("[role=tab]");
  if (!tab) return;
  const tabs = all("[role=tab]", tab.parentElement);
  const at = {ArrowRight: tabs.indexOf(tab) + 1, ArrowLeft: tabs.indexOf(tab) - 1, Home: 0, End: tabs.length - 1}[event.key];
  if (at === undefined) return;
  const next = tabs[(at + tabs.length) % tabs.length];
  event.preventDefault();
  select(next);
  next.focus();
});
document.getElementById("all").addEventListener("change", event => {
  for (const tab of all(`[role=tab][data-tab="${event.target.value}"]`)) select(tab);
});

// Previous and next equation.
function current() {
  const top = window.innerHeight / 3;
  const passed = equations.filter(row => !row.hidden && row.getBoundingClientRect().top <= top);
  return passed.length ? passed[passed.length - 1] : null;
}
function move(step) {
  const shown = equations.filter(row => !row.hidden);
  const at = shown.indexOf(current());
  const row = shown[Math.min(shown.length - 1, Math.max(0, at + step))];
  if (row) location.hash = row.id;
}
document.getElementById("previous").addEventListener("click", () => move(-1));
document.getElementById("next").addEventListener("click", () => move(1));
document.addEventListener("keydown", event => {
  if (event.target.closest("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "n") move(1);
  if (event.key === "p") move(-1);
  if (event.key === "/") { event.preventDefault(); document.getElementById("search").focus(); }
});

// Search: by id, by name of a file or function, by symbol, and in the text.
const found = document.getElementById("found");
document.getElementById("search").addEventListener("input", event => {
  const words = event.target.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const exact = words.length === 1 && equations.find(row => row.id.toLowerCase() === words[0]);
  let n = 0;
  for (const row of all(".row")) {
    const text = `${row.dataset.words || ""} ${row.textContent.toLowerCase()}`;
    row.hidden = exact ? row !== exact : !words.every(word => text.includes(word));
    if (!row.hidden && row.id) n += 1;
  }
  found.textContent = words.length ? `${n} equation${n === 1 ? "" : "s"}` : "";
});
window.addEventListener("hashchange", () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.closest(".row[hidden]")) {
    for (const row of all(".row")) row.hidden = false;
    document.getElementById("search").value = found.textContent = "";
    target.scrollIntoView();
  }
});

// Light and dark.
document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

// Symbols: hovering or focusing one shows all its occurrences on both sides of its row, and explains it.
const explained = document.getElementById("explained");
const keys = element => (element.dataset.s || "").split(" ").filter(Boolean);
function choose(symbol) {
  for (const other of all(".chosen")) other.classList.remove("chosen");
  explained.hidden = true;
  if (!symbol) return;
  const row = symbol.closest(".row");
  const wanted = keys(symbol);
  for (const other of all("[data-s]", row)) {
    if (keys(other).some(key => wanted.includes(key))) other.classList.add("chosen");
  }
  const entries = all(".symbols li", row).filter(entry => wanted.includes(entry.dataset.s));
  explained.replaceChildren();
  const values = JSON.parse(symbol.closest("[data-values]")?.dataset.values || "{}");
  if (symbol.textContent in values) explained.append(`${symbol.textContent} = ${values[symbol.textContent]} in the example`);
  for (const entry of entries) {
    const line = document.createElement("div");
    line.append(...[...entry.childNodes].map(node => node.cloneNode(true)));
    explained.append(line);
  }
  explained.hidden = !explained.hasChildNodes();
}
for (const name of ["mouseover", "focusin", "click"]) {
  document.addEventListener(name, event => choose(event.target.closest("[data-s], .v")));
}
document.addEventListener("keydown", event => { if (event.key === "Escape") choose(null); });

// On paper nothing can be opened: the lists of symbols are open there.
window.addEventListener("beforeprint", () => { for (const list of all(".symbols")) list.open = true; });
window.addEventListener("afterprint", () => { for (const list of all(".symbols")) list.open = false; });
