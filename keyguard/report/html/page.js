
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const { items, texts } = JSON.parse($("data").textContent);
  const root = document.documentElement;
  const form = $("filters");
  const groups = $("groups");
  const cards = [...document.querySelectorAll(".leak")];

  // What can be filtered, each with its elements: a leak has a life line besides its card.
  const lines = new Map([...document.querySelectorAll("[data-of]")].map((row) => [row.dataset.of, row]));
  const kinds = { leaks: [], others: [], rows: [] };
  for (const item of items) {
    item.element = $(item.id);
    item.line = lines.get(item.id);
    kinds[item.rank ? "leaks" : item.severity ? "others" : "rows"].push(item);
  }
  kinds.leaks.forEach((item, index) => { item.order = index; });

  // The text of an item is read when it is first searched; the steps of all leaks say the same.
  const textOf = (item) => {
    if (item.text === undefined) {
      const skipped = item.element.querySelector(".steps");
      const whole = item.element.textContent;
      item.text = (skipped ? whole.replace(skipped.textContent, "") : whole).toLowerCase().replace(/\s+/g, " ");
    }
    return item.text;
  };

  const NAMES = ["rank", "provider", "repository", "rule", "severity", "verdict"];
  const field = (name) => form.elements.namedItem(name);
  const asked = () => {
    const found = new URLSearchParams();
    for (const name of ["q", ...NAMES, "sort"]) {
      const value = field(name)?.value.trim();
      if (value) found.set(name, value);
    }
    if (field("new")?.checked) found.set("new", "1");
    return found;
  };
  const fits = (item, wanted, words) => {
    for (const name of NAMES) {
      const value = wanted.get(name);
      if (!value || item[name] === undefined) continue;
      if (Array.isArray(item[name]) ? !item[name].includes(value) : item[name] !== value) return false;
    }
    if (wanted.has("new") && item.new === false) return false;
    return words.every((word) => textOf(item).includes(word));
  };

  const ORDERS = {
    first: (a, b) => (a.first || "9").localeCompare(b.first || "9"),
    last: (a, b) => (b.last || "9").localeCompare(a.last || "9"),
    places: (a, b) => b.places - a.places,
    provider: (a, b) => a.name.localeCompare(b.name),
  };
  const homes = new Map(kinds.leaks.map((item) => [item, item.element.parentElement]));
  const flat = document.createElement("div");
  flat.className = "cards";
  flat.hidden = true;
  groups?.after(flat);
  let sorted = "";
  const sort = (by) => {
    if (by === sorted) return;
    sorted = by;
    const order = ORDERS[by];
    const found = [...kinds.leaks].sort((a, b) => (order ? order(a, b) : 0) || a.order - b.order);
    for (const item of found) (order ? flat : homes.get(item)).append(item.element);
    flat.hidden = !order;
    groups.hidden = Boolean(order);
  };

  const say = (kind, shown) =>
    texts[kind].replace("{shown}", shown.toLocaleString("en")).replace("{total}", kinds[kind].length.toLocaleString("en"));
  const apply = () => {
    const wanted = asked();
    const words = (wanted.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const said = [];
    for (const kind of ["leaks", "others", "rows"]) {
      let shown = 0;
      for (const item of kinds[kind]) {
        const hidden = !fits(item, wanted, words);
        item.element.hidden = hidden;
        if (item.line) item.line.hidden = hidden;
        if (!hidden) shown += 1;
      }
      if (kinds[kind].length && (kind === "leaks" || shown < kinds[kind].length)) said.push(say(kind, shown));
      if (kind === "leaks") $("nothing").hidden = shown > 0 || !kinds.leaks.length;
    }
    sort(ORDERS[wanted.get("sort")] ? wanted.get("sort") : "");
    for (const group of groups.children) group.hidden = !group.querySelector(".leak:not([hidden])");
    // A heading of a table stands as long as something below it does.
    for (const head of document.querySelectorAll("[data-whom]")) {
      let row = head.nextElementSibling;
      while (row && row.hidden) row = row.nextElementSibling;
      head.hidden = !row || row.hasAttribute("data-whom");
    }
    $("count").textContent = said.join(" · ");
    form.toggleAttribute("data-filtered", [...wanted.keys()].some((name) => name !== "sort"));
    return wanted;
  };
  const remember = (wanted) => {
    const text = wanted.toString();
    if (!text && !location.hash.includes("=")) return;
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  };

  // The address says what is shown: `#rank=head&q=…`, or `#leak-…` for one leak.
  const restore = () => {
    const hash = location.hash.slice(1);
    if (hash.includes("=")) {
      const wanted = new URLSearchParams(hash);
      form.reset();
      for (const name of ["q", ...NAMES, "sort"]) if (field(name)) field(name).value = wanted.get(name) ?? "";
      for (const name of [...NAMES, "sort"]) if (field(name) && field(name).selectedIndex < 0) field(name).value = "";
      if (field("new")) field("new").checked = wanted.has("new");
      apply();
      return;
    }
    apply();
    const target = hash && $(hash);
    if (!target) return;
    if (target.hidden || target.closest("[hidden]")) { form.reset(); apply(); }
    if (target.matches("details")) target.open = true;
    target.scrollIntoView();
    // What stands above gets its real height when it is first drawn.
    requestAnimationFrame(() => requestAnimationFrame(() => target.scrollIntoView()));
  };

  let waiting = 0;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => remember(apply()), event.target.name === "q" ? 120 : 0);
  });
  form.addEventListener("reset", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => remember(apply()), 0);
  });
  const open = (state) => { for (const card of cards) if (!card.hidden) card.open = state; };
  $("expand").addEventListener("click", () => open(true));
  $("collapse").addEventListener("click", () => open(false));
  addEventListener("hashchange", restore);

  // Paper cannot be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const one of folded) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of folded) one.open = false; });

  const theme = $("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const show = () => theme.setAttribute("aria-pressed", String(isDark()));
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; show(); });
  dark.addEventListener("change", show);
  show();

  // Without this script everything is open and nothing can be filtered.
  if (cards.length > 3) for (const card of cards) card.open = false;
  for (const fold of document.querySelectorAll(".fold")) fold.open = fold.querySelectorAll("tbody tr").length <= 15;
  theme.hidden = false;
  form.hidden = !items.length;
  restore();
})();
