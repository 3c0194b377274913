"use strict";
const filters = document.getElementById("filters");
const rows = [...document.querySelectorAll(".requirement")].map((row) => ({
  row,
  text: row.textContent.toLowerCase(),
  clients: (row.dataset.clients || "").split(" "),
}));
const shown = document.getElementById("shown");

function matches({ row, text, clients }, wanted) {
  return (
    (!wanted.level || row.dataset.level === wanted.level) &&
    (!wanted.verdict || row.dataset.verdict === wanted.verdict) &&
    (!wanted.client || clients.includes(wanted.client)) &&
    wanted.text.every((word) => text.includes(word))
  );
}

function apply() {
  const chosen = new FormData(filters);
  const wanted = {
    level: chosen.get("level"),
    verdict: chosen.get("verdict"),
    client: chosen.get("client"),
    text: chosen.get("text").toLowerCase().split(/\s+/).filter(Boolean),
  };
  let count = 0;
  for (const entry of rows) {
    entry.row.hidden = !matches(entry, wanted);
    count += entry.row.hidden ? 0 : 1;
  }
  shown.textContent = `${count} of ${rows.length} shown`;
}

function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.matches("details")) {
    target.hidden = false;
    target.open = true;
    target.scrollIntoView();
  }
}

filters.hidden = false;
filters.addEventListener("input", apply);
filters.addEventListener("submit", (event) => event.preventDefault());
filters.addEventListener("reset", () => setTimeout(apply));
addEventListener("hashchange", openTarget);
apply();
openTarget();
