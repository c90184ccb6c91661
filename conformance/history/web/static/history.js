// A little more comfort: the first page filters its rows while you type. Without it, the form asks the server.
"use strict";
const field = document.querySelector("input[data-filter]");
if (field) {
  const rows = [...document.querySelectorAll("tr[data-name]")];
  field.addEventListener("input", () => {
    const wanted = field.value.toLowerCase();
    for (const row of rows) row.hidden = !row.dataset.name.toLowerCase().includes(wanted);
  });
}
