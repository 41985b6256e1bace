// The entries of the run, and which of them are asked for in which order. No element is touched here.

const told = JSON.parse(document.getElementById("told").textContent);
const rows = JSON.parse(document.getElementById("rows").textContent).flat(1);
const place = Object.fromEntries(told.columns.map((name, at) => [name, at]));

const value = (row, name) => row[place[name]] ?? null;
const outcomeOf = (row) => told.outcomes[value(row, "outcome")];
const count = (number) => number.toLocaleString("en-US");
const money = (text) => text.replace(/\B(?=(\d{3})+(?=\.))/g, ",");
const instant = (ms) => new Date(told.base + ms).toISOString();

function why(row) {
  const warnings = value(row, "warnings");
  return value(row, "message") ?? value(row, "reason")
    ?? (warnings ? `warned of: ${warnings.join(", ")}` : value(row, "confirmed") === "lookup" ? "seen by a look-up" : null);
}

function whenSettled(row) {
  const text = instant(value(row, "settled"));
  return told.days ? `${text.slice(0, 10)} ${text.slice(11, 19)}` : text.slice(11, 19);
}

// name: the column's class; key: what it is sorted by; text: what it shows. Numbers stand to the right.
const plain = (name) => ({ key: (row) => value(row, name), text: (row) => value(row, name) });
const columns = [
  { name: "id", title: "Batch", key: (row) => value(row, "id") ?? Infinity, text: (row) => value(row, "id") ?? value(row, "input") },
  { name: "outcome", title: "Outcome", key: (row) => value(row, "outcome"), text: outcomeOf },
  { name: "code", title: "Code", ...plain("code") },
  { name: "period", title: "Period", ...plain("period") },
  { name: "bills", title: "Bills", number: true, key: (row) => value(row, "bills"), text: (row) => value(row, "bills") === null ? null : count(value(row, "bills")) },
  { name: "total", title: "Total", number: true, key: (row) => value(row, "total") === null ? null : Number(value(row, "total")), text: (row) => value(row, "total") === null ? null : money(value(row, "total")) },
  { name: "attempts", title: "Attempts", number: true, ...plain("attempts") },
  { name: "settled", title: "Settled", key: (row) => value(row, "settled"), text: whenSettled },
  { name: "why", title: "Why", key: why, text: why },
];

const searched = new Array(rows.length);

function searchText(at) {
  if (searched[at] === undefined) {
    const row = rows[at];
    const parts = ["id", "code", "period", "reason", "message", "source", "input", "status"].map((name) => value(row, name) ?? "");
    searched[at] = [...parts, outcomeOf(row), ...(value(row, "warnings") ?? [])].join("\n").toLowerCase();
  }
  return searched[at];
}

function found(order, { words, outcomes, group, guard }) {
  const asked = words.toLowerCase().split(/\s+/).filter(Boolean);
  return order.filter((at) => {
    const row = rows[at];
    if (outcomes.size && !outcomes.has(value(row, "outcome"))) return false;
    if (group !== null && value(row, "problem") !== group) return false;
    if (guard !== null && !(value(row, "warnings") ?? []).includes(guard)) return false;
    return asked.every((word) => searchText(at).includes(word));
  });
}

const inInputOrder = rows.map((_, at) => at);

function sorted(column, descending) {
  if (column === null) return inInputOrder;
  const keys = rows.map((row) => {
    const key = column.key(row);
    return typeof key === "string" ? key.toLowerCase() : key;
  });
  const turn = descending ? -1 : 1;
  return [...inInputOrder].sort((left, right) => {
    const one = keys[left];
    const other = keys[right];
    if (one === other) return left - right;
    if (one === null) return 1; // what is not known comes last, whichever way
    if (other === null) return -1;
    return one < other ? -turn : turn;
  });
}

function idsOf(some) {
  const ids = some.map((at) => value(rows[at], "id")).filter((id) => id !== null);
  return [...new Set(ids)].sort((left, right) => left - right);
}

function evidence(row) {
  const warned = (value(row, "warnings") ?? []).map((name) => told.guards[name] ? `${name}: ${told.guards[name]}` : name);
  const group = value(row, "problem");
  const first = value(row, "first");
  return [
    ["Message", value(row, "message") ?? value(row, "input")],
    ["Group", group === null ? null : told.groups[group]],
    ["Reason", value(row, "reason")],
    ["Confirmed by", value(row, "confirmed")],
    ["HTTP status", value(row, "status")],
    ["Attempts to close", value(row, "attempts")],
    ["First attempt at", first === null ? null : instant(first)],
    ["Settled at", instant(value(row, "settled"))],
    ["Took", value(row, "elapsed") ? `${value(row, "elapsed")} s` : null],
    ["End date, as the API gave it", value(row, "ended")],
    ["Batch code", value(row, "code")],
    ["Account period", value(row, "period")],
    ["Bills", value(row, "bills")],
    ["Total", value(row, "total") === null ? null : money(value(row, "total"))],
    ["Input", `${value(row, "source")}:${value(row, "line")}`],
    ["Warnings", warned.length ? warned.join("\n") : null],
  ].filter(([, text]) => text !== null && text !== "");
}
