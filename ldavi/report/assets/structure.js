// The topic tree, and the term-topic matrix of the chosen topic and its neighbours in the tree.
const ROW = 17;

function clusterPositions() {
  const n = data.topics.length;
  const y = new Float64Array(2 * n - 1);
  const size = new Int32Array(2 * n - 1).fill(1);
  data.tree.order.forEach((k, i) => { y[k] = i; });
  data.tree.merges.forEach(([a, b], i) => {
    y[n + i] = (y[a] + y[b]) / 2;
    size[n + i] = size[a] + size[b];
  });
  return { y, size };
}

draw.tree = (place, full) => {
  const width = full - (data.topics.length * ROW > 560 ? 14 : 0); // of a scroll bar
  const n = data.topics.length;
  const { merges, order: leaves, words } = data.tree;
  const { y, size } = clusterPositions();
  const labelWidth = Math.min(260, width * 0.5);
  const heights = merges.map((merge) => merge[2]);
  const [low, high] = heights.length ? [Math.min(...heights), Math.max(...heights)] : [0, 1];
  const margin = 0.08 * (high - low) || 0.1;
  const x = scale(high, low - margin, 8, width - labelWidth - 6);
  const top = 24;
  const at = (row) => top + (row + 0.5) * ROW;
  const xOf = (cluster) => (cluster < n ? width - labelWidth - 6 : x(merges[cluster - n][2]));
  const inside = new Set([chosen.topic]);
  merges.forEach(([a, b], i) => { if (inside.has(a) || inside.has(b)) inside.add(n + i); });
  const nodes = ticks(low, high, Math.max(2, width / 160)).map((value) => label(x(value), 12, value.toFixed(2), { class: 'tick', 'text-anchor': 'middle' }));
  merges.forEach(([a, b], i) => {
    for (const child of [a, b]) {
      nodes.push(svg('path', { d: `M${x(merges[i][2])},${at(y[n + i])}V${at(y[child])}H${xOf(child)}`, class: inside.has(child) ? 'branch chosen' : 'branch' }));
    }
  });
  leaves.forEach((k, row) => {
    nodes.push(label(width - labelWidth, at(row) + 4, fittedName(k, labelWidth - 4), { class: k === chosen.topic ? 'chosen' : 'text' }));
  });
  const lines = (k) => [nameOf(k), `${percent(data.topics[k].share, 2)} of all tokens`];
  const near = (px, py) => merges.findIndex(([, , h], i) => Math.abs(x(h) - px) < 5 && Math.abs(at(y[n + i]) - py) < 9);
  return {
    width, height: top + leaves.length * ROW + 6, nodes, cut: [top, ROW],
    under: (px, py) => {
      const i = near(px, py);
      if (i >= 0) return [words[i].join(', '), `${size[n + i]} topics, joined at distance ${merges[i][2].toFixed(2)}`];
      const k = leaves[Math.floor((py - top) / ROW)];
      return px > width - labelWidth - 12 && k !== undefined ? lines(k) : [];
    },
    choose: (_, py) => chooseTopic(leaves[Math.floor((py - top) / ROW)] ?? chosen.topic),
    values: {
      rows: leaves.length, columns: 1, first: () => [leaves.indexOf(chosen.topic), 0],
      at: (row) => ({ x: width - labelWidth - 6, y: at(row), lines: lines(leaves[row]) }), choose: (row) => chooseTopic(leaves[row]),
    },
  };
};

function matrixTopics() {
  const wanted = $('matrix-topics').value;
  const { order: leaves } = data.tree;
  if (wanted === 'all') return leaves;
  if (wanted === 'largest') {
    const largest = new Set(data.topics.map((_, k) => k).sort(orders.share).slice(0, 20));
    return leaves.filter((k) => largest.has(k));
  }
  const n = Math.min(12, leaves.length);
  const start = Math.max(0, Math.min(leaves.indexOf(chosen.topic) - Math.floor(n / 2), leaves.length - n));
  return leaves.slice(start, start + n);
}

draw.matrix = (place, full) => {
  const topics = matrixTopics();
  const { own, terms, cells } = data.matrix;
  const rows = [...new Set(topics.flatMap((k) => own[k]))];
  const width = full - (rows.length * ROW > 560 ? 14 : 0);
  const left = Math.min(150, width * 0.32);
  const column = Math.min(44, (width - left - 70) / topics.length);
  const top = 128;
  const x = (c) => left + (c + 0.5) * column;
  const y = (r) => top + (r + 0.5) * ROW;
  const probabilities = rows.map((t) => {
    const row = new Map();
    for (let i = 0; i < cells[t].length; i += 2) row.set(cells[t][i], cells[t][i + 1] / data.unit);
    return topics.map((k) => row.get(k) || 0);
  });
  const peaks = topics.map((_, c) => Math.max(...probabilities.map((row) => row[c]))).sort((a, b) => a - b);
  const highest = Math.max(1e-6, peaks[peaks.length - 1]);
  const saturated = Math.max(1e-6, peaks[Math.floor(0.8 * (peaks.length - 1))]); // few larger ones do not shrink all others
  const radius = (p) => Math.max(1, Math.min(ROW / 2, column / 2) * Math.sqrt(Math.min(1, p / saturated)));
  const nodes = [];
  topics.forEach((k, c) => {
    if (k === chosen.topic) nodes.push(svg('rect', { x: left + c * column, y: top, width: column, height: rows.length * ROW, class: 'band' }));
    nodes.push(label(0, 0, fittedName(k, 126, 11), { transform: `translate(${x(c) + 3},${top - 6}) rotate(-60)`, class: k === chosen.topic ? 'small chosen' : 'small' }));
  });
  rows.forEach((t, r) => {
    nodes.push(svg('line', { x1: left, x2: left + topics.length * column, y1: y(r), y2: y(r), class: 'grid' }));
    nodes.push(label(left - 8, y(r) + 4, fitted(terms[t], left - 10), { 'text-anchor': 'end', class: 'text' }));
    probabilities[r].forEach((p, c) => {
      if (p) nodes.push(svg('circle', { cx: x(c), cy: y(r), r: radius(p), class: topics[c] === chosen.topic ? 'cell chosen' : 'cell' }));
    });
  });
  const bottom = top + rows.length * ROW;
  const legend = [1, 0.25, 0.0625].map((f) => f * saturated);
  legend.forEach((p, i) => {
    nodes.push(svg('circle', { cx: left + 10 + i * 90, cy: bottom + 18, r: radius(p), class: 'cell' }));
    nodes.push(label(left + 24 + i * 90, bottom + 22, `${i === 0 && saturated < highest ? '≥ ' : ''}${percent(p, p < 0.01 ? 2 : 1)}`, { class: 'small' }));
  });
  nodes.push(label(left - 8, bottom + 22, 'probability', { class: 'small', 'text-anchor': 'end' }));
  const linesOf = (r, c) => [terms[rows[r]], nameOf(topics[c]), probabilities[r][c] ? `probability ${percent(probabilities[r][c], 2)}` : 'probability below 0.1 %'];
  const cellAt = (px, py) => [Math.floor((py - top) / ROW), Math.floor((px - left) / column)];
  return {
    width, height: bottom + 36, nodes, cut: [top, ROW],
    under: (px, py) => {
      const [r, c] = cellAt(px, py);
      return r in rows && c in topics && py > top ? linesOf(r, c) : [];
    },
    choose: (px, py) => chooseTopic(topics[cellAt(px, py)[1]] ?? chosen.topic),
    values: {
      rows: rows.length, columns: topics.length, first: () => [0, Math.max(0, topics.indexOf(chosen.topic))],
      at: (r, c) => ({ x: x(c), y: y(r), lines: linesOf(r, c) }), choose: (_, c) => chooseTopic(topics[c]),
    },
  };
};
$('matrix-topics').addEventListener('change', () => {
  cursors.delete($('matrix'));
  redraw('matrix');
});
