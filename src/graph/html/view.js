"use strict";
// The context graph: what is chosen, drawn, and told of.
(() => {
  // More than this on one sheet cannot be read.
  const MOST = 250;
  const section = document.getElementById("graph");
  const { nodes, edges } = JSON.parse(document.getElementById("graph-data").textContent);
  const form = section.querySelector("form");
  const sheet = section.querySelector(".sheet");
  const about = section.querySelector(".about");
  const shown = section.querySelector("output");
  const SVG = section.querySelector("svg").namespaceURI;
  const after = nodes.map(() => []);
  const before = nodes.map(() => []);
  for (const [from, to, kind] of edges) {
    after[from].push([to, kind]);
    before[to].push([from, kind]);
  }
  let scale = 1;
  let svg;

  function reach(starts, lists) {
    const found = new Set();
    const left = [...starts];
    while (left.length > 0) {
      const at = left.pop();
      if (found.has(at)) continue;
      found.add(at);
      left.push(...lists[at].map(([other]) => other));
    }
    return found;
  }

  function near(starts) {
    const found = new Set(starts);
    for (const at of starts) [...after[at], ...before[at]].forEach(([other]) => found.add(other));
    return found;
  }

  const all = (holds) => nodes.map((_, at) => at).filter((at) => holds(nodes[at]));
  const both = (a, b) => new Set([...a].filter((at) => b.has(at)));

  function chosen() {
    const { from, crate, mark, find, at } = Object.fromEntries(new FormData(form));
    let keep = new Set(nodes.keys());
    if (from) keep = reach([Number(from)], after);
    if (crate) keep = both(keep, near(all((node) => node.crate === crate)));
    if (mark) {
      const marked = all((node) => node.marks.some(([rule]) => rule === mark)).filter((at) => keep.has(at));
      const around = reach(marked, before);
      marked.forEach((at) => after[at].forEach(([to]) => around.add(to)));
      keep = both(keep, around);
    }
    if (at) {
      const marked = all((node) => node.marks.some(([, fingerprint]) => fingerprint === at));
      const around = reach(marked, before);
      marked.forEach((id) => after[id].forEach(([to]) => around.add(to)));
      keep = both(keep, around);
    }
    if (find) {
      const text = find.toLowerCase();
      keep = both(keep, near(all((node) => `${node.name} ${node.place}`.toLowerCase().includes(text))));
    }
    return keep;
  }

  // As many as may be, way by way from where contexts begin.
  function first(keep) {
    const starts = [...keep].filter((at) => nodes[at].entry || !before[at].some(([from]) => keep.has(from)));
    const found = new Set();
    for (const start of [...starts, ...keep]) {
      for (const at of reach([start], after)) {
        if (found.size >= MOST) return found;
        if (keep.has(at)) found.add(at);
      }
    }
    return found;
  }

  const make = (name, attributes, parent) => {
    const element = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    parent?.append(element);
    return element;
  };
  const html = (name, text, parent) => {
    const element = document.createElement(name);
    element.textContent = text;
    parent?.append(element);
    return element;
  };

  const pen = document.createElement("canvas").getContext("2d");
  function width(text, font) {
    pen.font = font;
    return pen.measureText(text).width;
  }

  function box(at) {
    const node = nodes[at];
    const name = node.name.length > 44 ? `…${node.name.slice(-43)}` : node.name;
    const rules = [...new Set(node.marks.map(([rule]) => rule))].map((rule) => `⚠ ${rule}`);
    const subs = [node.what, node.words.join(", "), `${node.crate} · ${node.place.split("/").pop()}`].filter(Boolean);
    const lines = [
      { text: name, class: "name" },
      ...rules.map((text) => ({ text, class: "sub found" })),
      ...subs.map((text) => ({ text, class: "sub" })),
    ];
    const widths = lines.map((line) => width(line.text, line.class === "name" ? "12px system-ui, sans-serif" : "10.5px system-ui, sans-serif"));
    return { id: at, lines, width: Math.ceil(Math.max(...widths)) + 22, height: 12 + 14.5 * lines.length };
  }

  function draw() {
    const keep = chosen();
    const some = keep.size > MOST ? first(keep) : keep;
    const boxes = [...some].sort((a, b) => a - b).map(box);
    const links = edges.filter(([from, to]) => some.has(from) && some.has(to)).map(([from, to, kind]) => ({ from, to, kind }));
    const size = layout(boxes, links);
    svg = make("svg", { viewBox: `0 0 ${size.width} ${size.height}`, role: "group", "aria-label": "the context graph" });
    const defs = make("defs", {}, svg);
    for (const bad of ["", "bad"]) {
      const marker = make("marker", { id: `tip${bad}`, viewBox: "0 0 8 8", refX: 1, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto" }, defs);
      make("path", { d: "M0,0 L8,4 L0,8 z", class: `tip ${bad}` }, marker);
    }
    for (const link of links) {
      const bad = ["cut", "restarts", "loses"].includes(link.kind) ? "bad" : "";
      const line = make("path", { d: path(link), class: `edge ${link.kind}`, "data-from": link.from, "data-to": link.to, "marker-end": `url(#tip${bad})` }, svg);
      make("title", {}, line).textContent = WORDS[link.kind];
    }
    for (const cell of boxes) drawNode(cell);
    sheet.replaceChildren(svg);
    zoom();
    shown.textContent = some.size < keep.size
      ? `${some.size} of ${keep.size} shown: narrow it down`
      : `${keep.size} of ${nodes.length} shown`;
    tell(undefined);
  }

  function drawNode(cell) {
    const node = nodes[cell.id];
    const label = `${node.kind} ${node.name}, ${node.words.join(", ")}`;
    const marked = node.marks.length > 0 ? " marked" : "";
    const group = make("g", { class: `node ${node.kind}${marked}`, tabindex: 0, role: "button", "aria-label": label, "data-id": cell.id }, svg);
    make("rect", { x: cell.x, y: cell.y, width: cell.width, height: cell.height, rx: node.context ? Math.min(22, cell.height / 2) : 5 }, group);
    cell.lines.forEach((line, number) => {
      const text = make("text", { x: cell.x + cell.width / 2, y: cell.y + 18 + 14.5 * number, "text-anchor": "middle", class: line.class }, group);
      text.textContent = line.text;
    });
    group.addEventListener("click", () => go(cell.id));
    group.addEventListener("focus", () => tell(cell.id));
    group.addEventListener("keydown", (event) => {
      const lists = { ArrowRight: after, ArrowLeft: before }[event.key];
      const to = lists?.[cell.id].map(([other]) => other).find((other) => nodeElement(other));
      if (to !== undefined) {
        event.preventDefault();
        go(to);
      }
    });
  }

  const nodeElement = (id) => svg.querySelector(`[data-id="${id}"]`);

  function go(id) {
    const element = nodeElement(id);
    element?.scrollIntoView({ block: "nearest", inline: "nearest" });
    element?.focus({ preventScroll: true });
  }

  const WORDS = {
    derives: "derived", passes: "given to", spawns: "taken into a task", replaces: "replaces the request's",
    cut: "cut off: only the values go on", restarts: "starts over with a root", loses: "called without a context",
    makes: "makes a root", calls: "called without a context",
  };

  function tell(id) {
    svg.querySelectorAll(".chosen, .near").forEach((element) => element.classList.remove("chosen", "near"));
    about.replaceChildren();
    const node = nodes[id];
    if (node === undefined) {
      html("p", "Choose a context, function or task to see where it is and what leads there.", about).className = "quiet";
      return;
    }
    nodeElement(id)?.classList.add("chosen");
    svg.querySelectorAll(`[data-from="${id}"], [data-to="${id}"]`).forEach((element) => element.classList.add("near"));
    html("h3", node.name, about);
    html("p", [node.what || node.kind, ...node.words].join(", "), about);
    html("p", `${node.place} (${node.crate})`, about).className = "quiet";
    list("found here", node.marks, ([rule, fingerprint], item) => {
      const article = document.getElementById(`f${fingerprint}`);
      if (!article) return html("span", rule, item);
      return Object.assign(html("a", rule, item), { href: `#f${fingerprint}` });
    });
    list("from", before[id], ([other, kind], item) => jump(other, kind, item));
    list("to", after[id], ([other, kind], item) => jump(other, kind, item));
  }

  function list(title, things, fill) {
    if (things.length === 0) return;
    html("b", title, about);
    const items = html("ul", "", about);
    things.forEach((thing) => fill(thing, html("li", "", items)));
  }

  function jump(other, kind, item) {
    const button = html("button", nodes[other].name, item);
    button.type = "button";
    html("span", ` ${WORDS[kind]}`, item).className = "quiet";
    button.addEventListener("click", () => {
      if (!nodeElement(other)) {
        form.reset();
        form.elements.find.value = nodes[other].name;
        draw();
      }
      go(other);
    });
  }

  function zoom() {
    const [, , wide, high] = svg.getAttribute("viewBox").split(" ").map(Number);
    svg.setAttribute("width", Math.round(wide * scale));
    svg.setAttribute("height", Math.round(high * scale));
  }

  section.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", () => {
    const wide = Number(svg.getAttribute("viewBox").split(" ")[2]);
    const factor = Number(button.dataset.zoom);
    scale = factor === 0 ? Math.min(1.5, Math.max(0.1, (sheet.clientWidth - 4) / wide)) : Math.min(3, Math.max(0.1, scale * factor));
    zoom();
  }));

  // What the address asks for: #from=…&crate=…&mark=RULE&find=…, or #at=FINGERPRINT.
  const KEYS = ["from", "crate", "mark", "find", "at"];
  const fold = section.closest("details");
  function preset() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    if (!KEYS.some((key) => wanted.has(key))) return false;
    KEYS.forEach((key) => { form.elements[key].value = wanted.get(key) ?? ""; });
    if (fold) fold.open = true;
    draw();
    const marked = nodes.findIndex((node) => node.marks.some(([, fingerprint]) => fingerprint === wanted.get("at")));
    if (marked >= 0) {
      section.scrollIntoView();
      go(marked);
    }
    return true;
  }

  function begin() {
    if (nodes.length > MOST) {
      // A part that can be read, for a start: a handler in which something was found, if there is one.
      const entries = all((node) => node.entry);
      const start = entries.find((at) => [...reach([at], after)].some((id) => nodes[id].marks.length > 0)) ?? entries[0];
      if (start !== undefined) form.elements.from.value = start;
    }
    draw();
  }

  form.addEventListener("input", () => {
    form.elements.at.value = "";
    draw();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", preset);
  if (!preset()) {
    if (!fold || fold.open) begin();
    // Drawn when it is looked at.
    else fold.addEventListener("toggle", () => { if (!svg) begin(); }, { once: true });
  }
})();
