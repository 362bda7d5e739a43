"use strict";

/** The border between truth and prediction follows the slider, and the slider follows a drag over the picture. */
function openSlider(card) {
  const stack = card.querySelector(".stack");
  const slider = card.querySelector("input[type=range]");
  const show = () => {
    stack.style.setProperty("--split", `${slider.value}%`);
    slider.setAttribute("aria-valuetext", `${slider.value} % truth`);
  };
  const drag = (event) => {
    if (!event.buttons || card.closest("[data-view]").dataset.view !== "compare") return;
    const { left, width } = stack.getBoundingClientRect();
    slider.value = Math.round((100 * (event.clientX - left)) / width);
    show();
  };
  slider.addEventListener("input", show);
  stack.addEventListener("pointerdown", drag);
  stack.addEventListener("pointermove", drag);
  stack.addEventListener("dragstart", (event) => event.preventDefault());
  show();
}

/** One choice for all pictures: truth and prediction, errors, or the image alone. */
function openViewer(viewer) {
  viewer.addEventListener("change", (event) => {
    if (event.target.name === "view") viewer.dataset.view = event.target.value;
  });
  const chosen = viewer.querySelector("input[name=view]:checked");
  if (chosen) viewer.dataset.view = chosen.value;
  viewer.querySelectorAll(".case").forEach(openSlider);
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** The table of all cases: sorted, filtered, and shown in parts. */
class CaseTable {
  static PART = 20;
  static MORE = 100;
  static FORMATS = {
    share: new Intl.NumberFormat("en", { minimumFractionDigits: 3, maximumFractionDigits: 3 }),
    distance: new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    count: new Intl.NumberFormat("en"),
  };

  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.key = 0;
    this.ascending = true;
    this.limit = CaseTable.PART;
    this.find = root.querySelector("#find");
    this.ofClass = root.querySelector("#of-class");
    this.onlyMissed = root.querySelector("#only-missed");
    this.more = root.querySelector("#more");
    this.head();
    this.find.addEventListener("input", () => this.restart());
    this.onlyMissed.addEventListener("change", () => this.restart());
    this.ofClass?.addEventListener("change", () => this.restart());
    this.more.addEventListener("click", () => {
      this.limit += CaseTable.MORE;
      this.show();
    });
    this.restart();
  }

  head() {
    const row = element("tr", {}, element("th", { scope: "col" }, "Errors"), this.heading("case", "Case"));
    if (this.data.grouped) row.append(this.heading("group", "Group", "text"));
    this.data.columns.forEach((column, place) => row.append(this.heading(place, column.label)));
    this.root.querySelector("thead").append(row);
  }

  heading(key, label, kind = "figure") {
    const button = element("button", { type: "button" }, label);
    const cell = element("th", { scope: "col", class: kind, "data-key": key }, button);
    button.addEventListener("click", () => {
      this.ascending = this.key === key ? !this.ascending : true;
      this.key = key;
      this.restart();
    });
    return cell;
  }

  /** Whether a class is the chosen one, or all are. */
  counts(place) {
    const chosen = this.ofClass?.value;
    return !chosen || place === Number(chosen);
  }

  /** A count is the sum over the classes; all else the mean over those that have a value, or null. */
  value(column, row) {
    const places = this.data.places[row];
    const known = column.values[row].filter((value, i) => value !== null && this.counts(places[i]));
    const sum = known.reduce((total, value) => total + value, 0);
    if (column.kind === "count") return sum;
    return known.length ? sum / known.length : null;
  }

  missed(row) {
    return this.data.places[row].some((place, i) => this.counts(place) && this.data.missed[row][i]);
  }

  restart() {
    this.limit = CaseTable.PART;
    const text = this.find.value.trim().toLowerCase();
    const matches = ({ id, group }) => id.toLowerCase().includes(text) || group.toLowerCase().includes(text);
    this.rows = this.data.cases
      .map((_, row) => row)
      .filter((row) => matches(this.data.cases[row]) && (!this.onlyMissed.checked || this.missed(row)));
    this.sort();
    this.show();
  }

  sort() {
    const sign = this.ascending ? 1 : -1;
    const words = { case: "id", group: "group" }[this.key];
    const keys = this.data.cases.map((found, row) => (words ? found[words] : this.value(this.data.columns[this.key], row)));
    const order = new Intl.Collator("en", { numeric: true }).compare;
    this.rows.sort((a, b) => {
      if (keys[a] === null || keys[b] === null) return (keys[a] === null) - (keys[b] === null);
      return sign * (words ? order(keys[a], keys[b]) : keys[a] - keys[b]);
    });
    for (const cell of this.root.querySelectorAll("th[data-key]")) {
      if (cell.dataset.key !== String(this.key)) cell.removeAttribute("aria-sort");
      else cell.setAttribute("aria-sort", this.ascending ? "ascending" : "descending");
    }
  }

  show() {
    const shown = this.rows.slice(0, this.limit);
    this.root.querySelector("tbody").replaceChildren(...shown.map((row) => this.line(row)));
    const total = this.data.cases.length;
    const of = this.rows.length === total ? `${total} cases` : `${this.rows.length} of ${total} cases`;
    this.root.querySelector("#shown").textContent =
      shown.length < this.rows.length ? `${of}, the first ${shown.length} shown` : of;
    this.more.hidden = shown.length === this.rows.length;
  }

  line(row) {
    const found = this.data.cases[row];
    const name = found.anchor ? element("a", { href: `#${found.anchor}` }, found.id) : found.id;
    const title = element("th", { scope: "row" }, name);
    if (this.missed(row)) title.append(element("span", { class: "tag" }, "missed"));
    const picture = element("td");
    if (found.picture) picture.append(element("img", { src: found.picture, alt: `Errors of case ${found.id}` }));
    const cells = this.data.columns.map((column) => element("td", {}, this.text(column, row)));
    if (this.data.grouped) cells.unshift(element("td", { class: "text" }, found.group || found.id));
    return element("tr", {}, picture, title, ...cells);
  }

  text(column, row) {
    const value = this.value(column, row);
    return value === null ? "–" : CaseTable.FORMATS[column.kind].format(value).replace("-", "−");
  }
}

/** A link to a case inside closed details opens them. */
function reveal() {
  const target = document.getElementById(location.hash.slice(1));
  const closed = target?.closest("details");
  if (!closed || closed.open) return;
  closed.open = true;
  target.scrollIntoView();
}

document.querySelectorAll(".viewer").forEach(openViewer);
const caseData = document.getElementById("case-data");
if (caseData) new CaseTable(document.getElementById("case-table"), JSON.parse(caseData.textContent));
window.addEventListener("hashchange", reveal);
window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => (part.open = true)));
reveal();
