"use strict";
// The page of flags: a heading sorts, and the box leaves what the words in it are found in.
const head = document.querySelector("table.cases thead tr");
const rows = [...document.querySelectorAll("table.cases tbody tr")];
const caseOf = new Map(rows.map((row) => [row, document.querySelector(row.querySelector("a").hash)]));

function show() {
  for (const row of rows) {
    row.parentElement.append(row);
    document.body.append(caseOf.get(row));
  }
}

function sort(column, descending) {
  const text = (row) => row.cells[column].textContent;
  rows.sort((one, other) => text(one).localeCompare(text(other), undefined, { numeric: true }));
  if (descending) rows.reverse();
  show();
}

[...head.cells].forEach((heading, column) => {
  const button = document.createElement("button");
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", () => {
    const before = heading.ariaSort;
    const descending = before ? before === "ascending" : heading.classList.contains("points");
    for (const other of head.cells) other.ariaSort = null;
    heading.ariaSort = descending ? "descending" : "ascending";
    sort(column, descending);
  });
});

const box = document.querySelector("#words");
box.closest("p").hidden = false;
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\s+/);
  for (const [row, section] of caseOf) {
    const text = section.textContent.toLowerCase();
    row.hidden = section.hidden = !words.every((word) => text.includes(word));
  }
});
