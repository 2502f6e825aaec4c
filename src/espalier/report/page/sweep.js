"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const style = () => getComputedStyle(document.documentElement);
  const channels = (text) => {
    const hex = text.replace("#", "");
    const whole = hex.length === 3 ? [...hex].map((one) => one + one).join("") : hex;
    return [0, 2, 4].map((at) => parseInt(whole.slice(at, at + 2), 16));
  };
  // Colours stand in the figures by name: var(--leaf), and var(--mix-40) between the faintest and the strongest.
  const colour = (text, now) => {
    const mixed = /^var\(--mix-([0-9]+)\)$/.exec(text);
    const named = /^var\((--[a-z]+)\)$/.exec(text);
    if (named) return now.getPropertyValue(named[1]).trim();
    if (!mixed) return text;
    const [from, to] = ["--faint", "--leaf"].map((name) => channels(now.getPropertyValue(name).trim()));
    return `rgb(${from.map((one, i) => Math.round(one + (to[i] - one) * Number(mixed[1]) / 100)).join(",")})`;
  };
  const coloured = (part, now) => {
    if (typeof part === "string") return colour(part, now);
    if (Array.isArray(part)) return part.map((one) => coloured(one, now));
    if (part === null || typeof part !== "object") return part;
    return Object.fromEntries(Object.entries(part).map(([key, one]) => [key, coloured(one, now)]));
  };
  const axis = (given, now) => ({
    gridcolor: now.getPropertyValue("--rule").trim(), zeroline: false, linecolor: now.getPropertyValue("--rule").trim(),
    automargin: true, ...given, title: { font: { size: 12 }, standoff: 8, ...(given.title || {}) },
  });
  const layout = (figure, now) => {
    const given = coloured(figure.layout, now);
    const axes = Object.fromEntries(["xaxis", "yaxis"].map((name) => [name, axis(given[name] || {}, now)]));
    return {
      ...given, ...axes, height: figure.height, autosize: true,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 8, r: 12, t: 12, b: 8, ...(given.margin || {}) },
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: now.getPropertyValue("--soft").trim() },
      hoverlabel: { bgcolor: now.getPropertyValue("--paper").trim(), bordercolor: now.getPropertyValue("--rule").trim(),
        align: "left", font: { color: now.getPropertyValue("--ink").trim(), size: 12 } },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", ...(given.legend || {}) },
    };
  };
  const drawn = new Set();
  const draw = (place) => {
    const figure = figures[place.dataset.figure];
    const now = style();
    drawn.add(place);
    Plotly.react(place, coloured(figure.data, now), layout(figure, now), { displayModeBar: false, responsive: true });
  };
  const places = [...document.querySelectorAll("[data-figure]")];
  for (const place of places) place.style.height = `${figures[place.dataset.figure].height}px`;
  // Figures are drawn as they come into sight; all of them before the page is printed.
  const watcher = new IntersectionObserver((seen) => {
    for (const one of seen) if (one.isIntersecting && !drawn.has(one.target)) draw(one.target);
  }, { rootMargin: "400px" });
  for (const place of places) watcher.observe(place);
  const again = () => { for (const place of drawn) draw(place); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  matchMedia("print").addEventListener("change", again);
  addEventListener("beforeprint", () => { for (const place of places) draw(place); });

  const table = document.getElementById("trials");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const key = (row, column) => {
    const said = row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
    const number = said === "" ? NaN : Number(said);
    return { empty: said === "", number, said };
  };
  const compare = (a, b) => {
    if (a.empty || b.empty) return 0;
    if (!Number.isNaN(a.number) && !Number.isNaN(b.number)) return a.number - b.number;
    return a.said.localeCompare(b.said, undefined, { numeric: true });
  };
  for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
    const button = head.querySelector("button");
    if (!button) continue;
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const first = head.dataset.first || "ascending";
      const order = before ? (before === "ascending" ? "descending" : "ascending") : first;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", order);
      const keyed = rows.map((row) => [key(row, column), row]);
      const turn = order === "ascending" ? 1 : -1;
      keyed.sort(([a], [b]) => a.empty - b.empty || turn * compare(a, b));
      body.append(...keyed.map(([, row]) => row));
    });
  }
  const filter = document.getElementById("filter");
  const count = document.getElementById("count");
  if (!filter) return;
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    count.textContent = words.length ? `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")}` : "";
  });
})();
