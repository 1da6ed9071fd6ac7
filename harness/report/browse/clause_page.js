"use strict";
// Filters the rows that are on the page; what is chosen is in the address, so that a link shows the same.
const form = document.querySelector(".filters");
const rows = [...document.querySelectorAll(".clauses tr")];
const words = new Map(rows.map(row => [row, row.textContent.toLowerCase()]));
let area = "";

function show() {
  const chosen = new FormData(form);
  const verdicts = chosen.getAll("verdict");
  const wanted = (chosen.get("words") || "").toLowerCase().trim();
  let shown = 0;
  for (const row of rows) {
    const fits = (!verdicts.length || verdicts.includes(row.dataset.verdict))
      && ["system", "level", "surface"].every(name => !chosen.get(name) || chosen.get(name) === row.dataset[name])
      && (!area || area === row.dataset.system + ":" + row.dataset.area)
      && (!wanted || words.get(row).includes(wanted));
    row.hidden = !fits;
    shown += fits;
  }
  for (const section of document.querySelectorAll("main section")) {
    section.hidden = !section.querySelector("tr:not([hidden])");
  }
  document.getElementById("nothing").hidden = shown > 0;
  form.querySelector("output").value = shown === rows.length ? rows.length + " clauses" : shown + " of " + rows.length + " clauses";
}

function reset() {
  form.reset();
  area = "";
}

function choose(name, value) {
  const field = form.elements[name];
  if (field) field.value = value;
}

// A clause that is linked to must be seen, whatever was chosen.
function follow() {
  const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (row && (row.hidden || row.closest("[hidden]"))) {
    reset();
    show();
    row.scrollIntoView();
  }
}

document.addEventListener("click", event => {
  const button = event.target.closest("[data-only], [data-reset], [data-words]");
  if (!button) return;
  event.preventDefault();
  reset();
  if (button.dataset.only) {
    for (const box of form.querySelectorAll("[name=verdict]")) box.checked = box.value === button.dataset.only;
    area = button.dataset.area ? button.dataset.system + ":" + button.dataset.area : "";
  }
  if (button.dataset.words) choose("words", button.dataset.words);
  show();
  form.scrollIntoView();
});
form.addEventListener("input", show);
form.addEventListener("submit", event => event.preventDefault());
window.addEventListener("hashchange", follow);
show();
follow();
