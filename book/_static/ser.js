// One recording at a time.
document.addEventListener(
  "play",
  (event) => {
    for (const audio of document.querySelectorAll("audio")) {
      if (audio !== event.target) audio.pause();
    }
  },
  true,
);

// What scrolls sideways can be reached by keyboard, and says whether there is more to the right.
const WIDE = [
  ".cell_output",
  ".ser-figure",
  ".cell_output .text_html",
  ".cell_output .output.stream pre",
  ".pst-scrollable-table-container",
].join(", ");

function nameOf(element) {
  const kind = { TABLE: "table", IMG: "figure", PRE: "output" };
  const shown = element.matches("pre") ? element : element.querySelector("table, img");
  if (!shown) return "wide formula";
  const heading = element.closest("section")?.querySelector("h1, h2, h3, h4")?.textContent ?? "";
  const title = shown.alt ?? heading.replace(/#$/, "").trim();
  return `wide ${kind[shown.tagName]}: ${title}`;
}

function measure(element) {
  const hidden = element.scrollWidth - element.clientWidth;
  if (hidden > 1 && /auto|scroll/.test(getComputedStyle(element).overflowX)) {
    element.dataset.more = element.scrollLeft < hidden - 1 ? "yes" : "no";
    element.tabIndex = 0;
    element.setAttribute("role", "region");
    element.setAttribute("aria-label", nameOf(element));
  } else if (element.dataset.more) {
    delete element.dataset.more;
    for (const name of ["tabindex", "role", "aria-label"]) element.removeAttribute(name);
  }
}

const sizes = new ResizeObserver((entries) => {
  for (const entry of entries) measure(entry.target);
});

function watch(element) {
  element.addEventListener("scroll", () => measure(element), { passive: true });
  sizes.observe(element);
}

// A column of numbers is set flush right, with its heading; a long cell may be folded.
const NUMBER = /^([−+-]?[\d.,]+(e[+-]?\d+)?( ?%)?|nan|–|)$/i;

function layOut(table) {
  const rows = [...table.rows].filter((row) => [...row.cells].every((cell) => cell.colSpan === 1));
  const body = rows.filter((row) => row.parentElement.tagName === "TBODY");
  // Columns are counted from the right: a heading of several rows stands in the first of them only.
  const cell = (row, column) => row.cells[row.cells.length - column];
  for (let column = 1; column <= (body[0]?.cells.length ?? 0); column += 1) {
    const texts = body.map((row) => cell(row, column)?.textContent.trim() ?? "");
    if (texts.some((text) => /\d/.test(text)) && texts.every((text) => NUMBER.test(text))) {
      for (const row of rows) cell(row, column)?.classList.add("ser-number");
    }
  }
  for (const row of table.rows) {
    for (const cell of row.cells) {
      if (cell.tagName === "TH") {
        cell.scope = row.parentElement.tagName === "THEAD" ? "col" : "row";
      }
      cell.classList.toggle("ser-long", cell.textContent.trim().length > 22);
    }
  }
}

document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll(".text_html table")) layOut(table);
  for (const image of document.querySelectorAll(".cell_output img")) {
    const frame = document.createElement("div");
    frame.className = "ser-figure";
    const shown = image.closest("a") ?? image;
    shown.replaceWith(frame);
    frame.append(shown);
    const size = () => frame.style.setProperty("--ser-width", `${image.naturalWidth}px`);
    if (image.complete) size();
    else image.addEventListener("load", size);
  }
  document.querySelectorAll(WIDE).forEach(watch);
  // What opens code or a solution is called what it shows, and not "Toggle hidden content".
  for (const summary of document.querySelectorAll("details.hide > summary")) {
    summary.removeAttribute("aria-label");
  }
  // Every exercise, solution and definition of a page has its content under one id, which nothing uses.
  for (const kind of ["exercise", "solution", "proof"]) {
    for (const section of document.querySelectorAll(`#${kind}-content`)) section.removeAttribute("id");
  }
});

// Pictures and formulas come in later and make wide what was narrow.
window.addEventListener("load", async () => {
  for (const button of document.querySelectorAll(".solution .toggle-button")) {
    const exercise = button.closest(".solution").previousElementSibling;
    const title = exercise?.querySelector(".admonition-title")?.textContent.trim() ?? "";
    button.setAttribute("aria-label", `Solution, ${title}`);
  }
  document.querySelectorAll(WIDE).forEach(measure);
  await window.MathJax?.startup?.promise;
  document.querySelectorAll("mjx-container[display]").forEach(watch);
});
