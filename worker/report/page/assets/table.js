// The table: of any number of rows, only those near the screen are in the document.

const AROUND = 600; // pixels above and below the screen
const MOST_PRINTED = 2000;

function element(name, attributes = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, text] of Object.entries(attributes)) made.setAttribute(key, text);
  made.append(...inside);
  return made;
}

class Table {
  constructor(place, onSort) {
    this.order = [];
    this.opened = new Map(); // row: the height of its evidence
    this.shown = new Map(); // row: its elements
    this.height = 35;
    this.printed = 0;
    this.above = this.space();
    this.below = this.space();
    this.body = element("tbody", {}, this.above, this.below);
    this.heads = columns.map((column) => this.head(column, onSort));
    const caption = element("caption", { class: "unseen" }, "Every entry of the run. A row's button opens its evidence.");
    const head = element("thead", {}, element("tr", { "aria-rowindex": 1 }, ...this.heads));
    this.table = element("table", told.days ? { class: "days" } : {}, caption, head, this.body);
    place.append(this.table);
    let due = false;
    const soon = () => {
      if (due) return;
      due = true;
      requestAnimationFrame(() => { due = false; this.draw(); });
    };
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", soon);
    this.body.addEventListener("click", (event) => this.clicked(event));
    this.body.addEventListener("keydown", (event) => this.pressed(event));
  }

  space() {
    return element("tr", { class: "space", "aria-hidden": "true" }, element("td"));
  }

  head(column, onSort) {
    const button = element("button", { type: "button" }, column.title);
    button.addEventListener("click", () => onSort(column));
    return element("th", { scope: "col", class: `c-${column.name}${column.number ? " n" : ""}` }, button);
  }

  show(order, column, descending) {
    this.order = order;
    this.heads.forEach((head, at) => {
      head.removeAttribute("aria-sort");
      if (columns[at] === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    });
    this.table.setAttribute("aria-rowcount", order.length + 1);
    this.draw();
  }

  draw() {
    const heights = new Heights(this.order, this.height, this.opened);
    const [first, last] = this.range(heights);
    const wanted = [];
    const shown = new Map();
    for (let where = first; where < last; where += 1) {
      const at = this.order[where];
      const elements = this.shown.get(at) ?? this.row(at);
      elements[0].setAttribute("aria-rowindex", where + 2);
      shown.set(at, elements);
      wanted.push(...elements);
    }
    if (!this.order.length) wanted.push(this.nothing());
    this.shown = shown;
    this.above.firstChild.style.height = `${heights.top(first)}px`;
    this.below.firstChild.style.height = `${heights.top(this.order.length) - heights.top(last)}px`;
    this.place(wanted);
    const across = this.heads.filter((head) => head.getClientRects().length).length;
    for (const cell of this.body.querySelectorAll(".whole")) cell.colSpan = across;
    this.measure();
  }

  range(heights) {
    if (this.printed) return [0, Math.min(this.order.length, this.printed)];
    const top = -this.body.getBoundingClientRect().top;
    const first = heights.rowAt(top - AROUND);
    return [first, Math.min(this.order.length, heights.rowAt(top + innerHeight + AROUND) + 1)];
  }

  // What stays in the document is not moved, so that the focus stays too.
  place(wanted) {
    const kept = new Set(wanted);
    for (const child of [...this.body.children]) {
      if (child !== this.above && child !== this.below && !kept.has(child)) child.remove();
    }
    let next = this.above.nextSibling;
    for (const each of wanted) {
      if (each === next) next = next.nextSibling;
      else this.body.insertBefore(each, next);
    }
  }

  // Heights as they are on the screen; drawn again where they were taken for others.
  measure() {
    if (this.printed) return;
    let changed = false;
    for (const [at, [row, detail]] of this.shown) {
      const height = row.getBoundingClientRect().height;
      if (height && Math.abs(height - this.height) > 0.01) { this.height = height; changed = true; }
      const extra = detail?.getBoundingClientRect().height;
      if (extra && Math.abs(extra - this.opened.get(at)) > 0.01) { this.opened.set(at, extra); changed = true; }
      if (changed && !detail) break;
    }
    if (changed && !this.again) {
      this.again = true;
      this.draw();
      this.again = false;
    }
  }

  row(at) {
    const open = this.opened.has(at);
    const cells = columns.map((column, number) => {
      const text = column.text(rows[at]) ?? "";
      const kind = `c-${column.name}${column.number ? " n" : ""}`;
      if (number === 0) {
        return element("th", { scope: "row", class: kind }, element("button", { type: "button", class: "more", "aria-expanded": open }, text));
      }
      const dot = column.name === "outcome" ? [element("i", { class: `dot fill-${text}` })] : [];
      return element("td", { class: kind, ...(column.name === "why" && text ? { title: text } : {}) }, ...dot, text);
    });
    const row = element("tr", { class: "row", "data-at": at }, ...cells);
    return open ? [row, this.detail(at)] : [row];
  }

  detail(at) {
    const facts = evidence(rows[at]).map(([name, text]) => {
      const wide = name === "Message" || name === "Warnings" ? { class: "wide" } : {};
      return element("div", wide, element("dt", {}, name), element("dd", {}, String(text)));
    });
    return element("tr", { class: "detail" }, element("td", { class: "whole" }, element("dl", {}, ...facts)));
  }

  nothing() {
    return element("tr", { class: "none" }, element("td", { class: "whole" }, rows.length ? "No entry is like that." : "There is no batch in this run."));
  }

  clicked(event) {
    const row = event.target.closest("tr.row");
    if (!row || String(getSelection())) return;
    this.toggle(Number(row.dataset.at), row);
  }

  toggle(at, row) {
    const open = !this.opened.has(at);
    if (open) this.opened.set(at, 0);
    else this.opened.delete(at);
    row.querySelector(".more").setAttribute("aria-expanded", open);
    this.shown.set(at, open ? [row, this.detail(at)] : [row]);
    this.draw();
  }

  // Up and down go from row to row.
  pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest("tr.row");
    if (!step || !row) return;
    let next = row;
    do next = step > 0 ? next.nextElementSibling : next.previousElementSibling; while (next && next.classList.contains("detail"));
    const button = next?.querySelector(".more");
    if (!button) return;
    event.preventDefault();
    button.focus();
  }

  print(begins) {
    this.printed = begins ? MOST_PRINTED : 0;
    this.draw();
    return Math.min(MOST_PRINTED, this.order.length);
  }
}
