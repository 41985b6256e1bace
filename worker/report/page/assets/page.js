// The page's controls: finding, filtering, copying, printing.

const byId = (id) => document.getElementById(id);
const nothing = () => ({ words: "", outcomes: new Set(), group: null, guard: null });
const asked = { ...nothing(), column: null, descending: false };
let order = inInputOrder;
let wanted = [];

const table = new Table(byId("table"), (column) => {
  asked.descending = asked.column === column && !asked.descending;
  asked.column = column;
  order = sorted(column, asked.descending);
  refresh();
});

function refresh() {
  wanted = found(order, asked);
  table.show(wanted, asked.column, asked.descending);
  byId("shown").textContent = wanted.length === rows.length
    ? `${count(rows.length)} ${rows.length === 1 ? "entry" : "entries"}`
    : `${count(wanted.length)} of ${count(rows.length)} entries`;
  const scope = byId("scope");
  scope.hidden = asked.group === null && asked.guard === null;
  scope.textContent = asked.group !== null ? `\u00d7 ${told.groups[asked.group]}` : `\u00d7 warned of: ${asked.guard}`;
  scope.setAttribute("aria-label", `Show all again, not only ${scope.textContent.slice(2)}`);
  const ids = idsOf(wanted).length;
  byId("copy").textContent = `Copy ${count(ids)} ${ids === 1 ? "id" : "ids"}`;
  byId("copy").hidden = !ids;
  for (const chip of byId("outcomes").children) chip.setAttribute("aria-pressed", asked.outcomes.has(Number(chip.dataset.outcome)));
}

function only(group, guard) {
  Object.assign(asked, { ...nothing(), group, guard });
  byId("find").value = "";
  refresh();
  byId("batches").scrollIntoView();
  byId("batches").focus({ preventScroll: true });
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

// Where the clipboard is out of reach the text is shown, selected.
async function copy(text, button) {
  button.dataset.label ??= button.textContent;
  if (await copied(text)) {
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = button.dataset.label; delete button.dataset.label; }, 1500);
    return;
  }
  const area = element("textarea", { readonly: "", rows: 12, "aria-label": "To be copied" });
  area.value = text;
  const close = element("button", {}, "Close");
  const form = element("form", { method: "dialog" }, element("p", {}, "The clipboard is out of reach: copy it from here."), area, close);
  const dialog = element("dialog", {}, form);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  area.select();
}

function each(selector, act) {
  for (const button of document.querySelectorAll(selector)) {
    button.hidden = false;
    button.closest("[hidden]")?.removeAttribute("hidden");
    button.addEventListener("click", () => act(button));
  }
}

function start() {
  byId("tools").hidden = !rows.length;
  byId("table").hidden = false;
  each("[data-copy-text]", (button) => copy(button.parentElement.querySelector("code").textContent, button));
  each("[data-copy-group]", (button) => copy(idsOf(found(order, { ...nothing(), group: Number(button.dataset.copyGroup) })).join("\n"), button));
  each("[data-show-group]", (button) => only(Number(button.dataset.showGroup), null));
  each("[data-show-guard]", (button) => only(null, button.dataset.showGuard));
  byId("copy").addEventListener("click", (event) => copy(idsOf(wanted).join("\n"), event.currentTarget));
  byId("scope").addEventListener("click", () => only(null, null));
  byId("outcomes").addEventListener("click", (event) => {
    const chip = event.target.closest("button");
    if (!chip) return;
    const outcome = Number(chip.dataset.outcome);
    if (!asked.outcomes.delete(outcome)) asked.outcomes.add(outcome);
    refresh();
  });
  let due = 0;
  byId("find").addEventListener("input", (event) => {
    clearTimeout(due);
    due = setTimeout(() => { asked.words = event.target.value; refresh(); }, rows.length > 5000 ? 120 : 0);
  });
  addEventListener("beforeprint", () => {
    const shown = table.print(true);
    byId("printed").hidden = shown === wanted.length;
    byId("printed").textContent = `The first ${count(shown)} of ${count(wanted.length)} entries; results.csv has them all.`;
  });
  addEventListener("afterprint", () => { byId("printed").hidden = true; table.print(false); });
  refresh();
}

start();
