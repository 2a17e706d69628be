"use strict";
// Nodes in columns from left to right, edges round what is between.

// Which edges lead back: reversed, the rest has no circle.
function backEdges(ids, next) {
  const state = new Map();
  const back = new Set();
  for (const start of ids) {
    if (state.has(start)) continue;
    const stack = [[start, 0]];
    state.set(start, "open");
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const edge = next.get(top[0])[top[1]++];
      if (edge === undefined) {
        state.set(top[0], "closed");
        stack.pop();
      } else if (!state.has(edge.to)) {
        state.set(edge.to, "open");
        stack.push([edge.to, 0]);
      } else if (state.get(edge.to) === "open") {
        back.add(edge);
      }
    }
  }
  return back;
}

// The column of each node: behind everything that leads to it, and no further left than need be.
function columns(ids, edges) {
  const after = new Map(ids.map((id) => [id, []]));
  const missing = new Map(ids.map((id) => [id, 0]));
  for (const [from, to] of edges) {
    after.get(from).push(to);
    missing.set(to, missing.get(to) + 1);
  }
  const column = new Map(ids.map((id) => [id, 0]));
  const order = ids.filter((id) => missing.get(id) === 0);
  for (let at = 0; at < order.length; at++) {
    for (const to of after.get(order[at])) {
      column.set(to, Math.max(column.get(to), column.get(order[at]) + 1));
      missing.set(to, missing.get(to) - 1);
      if (missing.get(to) === 0) order.push(to);
    }
  }
  const isStart = new Set(ids);
  edges.forEach(([, to]) => isStart.delete(to));
  for (const id of isStart) {
    const first = Math.min(...after.get(id).map((to) => column.get(to)));
    if (Number.isFinite(first)) column.set(id, first - 1);
  }
  return column;
}

// Positions in one column as near as can be to what is wished, in the order given, without overlap.
function settle(cells, wish) {
  const groups = [];
  let offset = 0;
  for (const cell of cells) {
    groups.push({ sum: wish(cell) - offset, count: 1, cells: [[cell, offset]] });
    offset += cell.height + 14;
    while (groups.length > 1) {
      const [a, b] = groups.slice(-2);
      if (a.sum / a.count <= b.sum / b.count) break;
      groups.splice(-2, 2, { sum: a.sum + b.sum, count: a.count + b.count, cells: [...a.cells, ...b.cells] });
    }
  }
  for (const group of groups) {
    for (const [cell, at] of group.cells) cell.y = group.sum / group.count + at;
  }
}

// What hangs together, each part in the order of the boxes.
function parts(boxes, links) {
  const part = new Map(boxes.map((box) => [box.id, [box]]));
  for (const { from, to } of links) {
    const [a, b] = [part.get(from), part.get(to)].sort((x, y) => y.length - x.length);
    if (a === b) continue;
    for (const box of b) {
      a.push(box);
      part.set(box.id, a);
    }
  }
  const found = [...new Set(part.values())];
  found.forEach((list) => list.sort((a, b) => a.id - b.id));
  return found.sort((a, b) => b.length - a.length || a[0].id - b[0].id);
}

// `boxes`: id, width, height. `links`: from, to. Gives boxes x and y, links their way.
function layout(boxes, links) {
  const size = { width: 40, height: 20 };
  for (const part of parts(boxes, links)) {
    const ids = new Set(part.map((box) => box.id));
    const inside = links.filter((link) => ids.has(link.from));
    const { width, height } = layoutPart(part, inside);
    new Set([...part, ...inside.flatMap((link) => link.way)]).forEach((cell) => { cell.y += size.height - 20; });
    size.width = Math.max(size.width, width);
    size.height += height - 20;
  }
  return size;
}

function layoutPart(boxes, links) {
  const ids = boxes.map((box) => box.id);
  const next = new Map(ids.map((id) => [id, []]));
  links.forEach((link) => next.get(link.from).push(link));
  const back = backEdges(ids, next);
  const ends = (link) => (back.has(link) ? [link.to, link.from] : [link.from, link.to]);
  const column = columns(ids, links.map(ends));

  const grid = [];
  const put = (cell, at) => {
    (grid[at] ??= []).push(cell);
    Object.assign(cell, { column: at, before: [], after: [], y: 0 });
  };
  const cells = new Map(boxes.map((box) => [box.id, box]));
  boxes.forEach((box) => put(box, column.get(box.id)));
  const join = (a, b) => {
    a.after.push(b);
    b.before.push(a);
  };
  for (const link of links) {
    const [from, to] = ends(link).map((id) => cells.get(id));
    link.way = [from];
    for (let at = from.column + 1; at < to.column; at++) {
      const bend = { bend: true, width: 0, height: 4 };
      put(bend, at);
      link.way.push(bend);
    }
    link.way.push(to);
    link.way.slice(1).forEach((cell, at) => join(link.way[at], cell));
    if (back.has(link)) link.way.reverse();
  }

  const middle = (cell) => cell.y + cell.height / 2;
  const mean = (near, cell) => (near.length === 0 ? middle(cell) : near.reduce((sum, c) => sum + middle(c), 0) / near.length);
  for (const list of grid) settle(list, () => 0);
  for (let turn = 0; turn < 12; turn++) {
    const right = turn % 2 === 0;
    for (const list of right ? grid : [...grid].reverse()) {
      const near = (cell) => (right ? cell.before : cell.after);
      list.forEach((cell) => { cell.wish = mean(near(cell), cell); });
      if (turn < 8) list.sort((a, b) => a.wish - b.wish);
      settle(list, (cell) => mean(turn < 8 ? near(cell) : [...cell.before, ...cell.after], cell) - cell.height / 2);
    }
  }

  let x = 20;
  const top = Math.min(...grid.flat().map((cell) => cell.y));
  for (const list of grid) {
    const width = Math.max(...list.map((cell) => cell.width));
    for (const cell of list) {
      cell.x = x + (cell.bend ? width / 2 : 0);
      cell.y += 20 - top;
    }
    x += width + 60;
  }
  const bottom = Math.max(0, ...grid.flat().map((cell) => cell.y + cell.height));
  return { width: Math.max(x - 40, 40), height: bottom + 20 };
}

// A link as a path that leaves and arrives level.
function path(link) {
  const [from, to] = [link.way[0], link.way[link.way.length - 1]];
  const forward = from.column < to.column;
  const side = (cell, out) => (out === forward ? cell.x + cell.width : cell.x);
  const points = link.way.map((cell, at) => {
    const y = cell.y + cell.height / 2;
    if (cell === from && at === 0) return [side(cell, true), y];
    return cell === to ? [side(cell, false) - (forward ? 7 : -7), y] : [cell.x, y];
  });
  return points.slice(1).reduce((text, [x, y], at) => {
    const [px, py] = points[at];
    const half = (px + x) / 2;
    return `${text} C${half},${py} ${half},${y} ${x},${y}`;
  }, `M${points[0]}`);
}
