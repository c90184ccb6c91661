"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const tools = $("tools");
  tools.hidden = false;
  const fields = ["verdict", "requirement", "operation", "format", "role"].map((name) => [name, $("by-" + name)]);
  const search = $("search");
  const rows = [...document.querySelectorAll("[data-row]")];
  const texts = new Map();
  const text = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };
  const cells = { verdict: 1, role: 2, format: 3 };
  const has = (row, name, wanted) => {
    if (row.dataset.row === "case" && cells[name]) return row.cells[cells[name]].textContent === wanted;
    const holder = row.closest("[data-" + name + "]");
    return !holder || holder.getAttribute("data-" + name).split("|").includes(wanted);
  };
  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = fields.filter(([, field]) => field.value).map(([name, field]) => [name, field.value]);
    const active = words.length > 0 || wanted.length > 0;
    let cases = 0, all = 0;
    for (const row of rows) {
      const shown = wanted.every(([name, value]) => has(row, name, value)) && words.every((word) => text(row).includes(word));
      row.hidden = !shown;
      if (row.dataset.row === "case") { all += 1; cases += shown ? 1 : 0; }
    }
    for (const box of document.querySelectorAll("details[data-list]")) {
      const shown = active ? box.querySelectorAll("tr[data-row]:not([hidden])").length : 0;
      box.open = active && shown > 0;
    }
    $("count").textContent = active ? `${cases} of ${all} cases` : `${all} cases`;
  };
  let waiting = 0;
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(apply, 150); });
  for (const [, field] of fields) field.addEventListener("change", apply);
  $("clear").addEventListener("click", () => {
    search.value = "";
    for (const [, field] of fields) field.value = "";
    apply();
    search.focus();
  });
  $("count").textContent = `${rows.filter((row) => row.dataset.row === "case").length} cases`;
  const reveal = () => {
    const target = location.hash && $(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    target.hidden = false;
    for (let box = target.closest("details"); box; box = box.parentElement && box.parentElement.closest("details")) box.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
  for (const box of document.querySelectorAll(".cmd")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy " + box.dataset.what);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(box.querySelector("pre").textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(box.querySelector("pre"));
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    box.append(button);
  }
})();
