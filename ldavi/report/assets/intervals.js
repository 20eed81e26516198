// A chart of differences with intervals, one row per topic: { k, value, low, high }, where low and high may be undefined.
const points = (value, digits = 2) => `${value > 0 ? '+' : ''}${(100 * value).toFixed(digits)}`;
const excludesZero = ({ low, high }) => low !== undefined && (low > 0 || high < 0);

function intervalChart(width, rows, { ends, slack, linesOf }) {
  const step = 20;
  const left = Math.min(width * 0.42, 260);
  const [right, top] = [width - 12, 30];
  const bottom = top + rows.length * step;
  const reach = Math.max(...rows.map(({ value, high }) => Math.abs(value) + Math.min(high === undefined ? 0 : high - value, 2 * Math.abs(value) + slack))) * 1.05 || 1;
  const x = scale(-reach, reach, left, right);
  const y = (row) => top + (row + 0.5) * step;
  const clamp = (value) => Math.max(left, Math.min(right, x(value)));
  const nodes = [
    label(x(0) - 8, 12, fitted(`← ${ends[0]}`, x(0) - left), { class: 'small', 'text-anchor': 'end' }),
    label(x(0) + 8, 12, fitted(`${ends[1]} →`, right - x(0)), { class: 'small' }),
  ];
  const digits = Math.max(0, Math.min(12, Math.ceil(-Math.log10(reach) - 1)));
  for (const value of ticks(-reach, reach, Math.max(2, (right - left) / 80))) {
    nodes.push(svg('line', { x1: x(value), x2: x(value), y1: top - 4, y2: bottom, class: Math.abs(value) < 1e-9 * reach ? 'axis' : 'grid' }));
    nodes.push(label(x(value), bottom + 16, points(value, digits), { class: 'tick', 'text-anchor': 'middle' }));
  }
  rows.forEach((entry, row) => {
    const { k, value, low, high } = entry;
    const sure = excludesZero(entry);
    nodes.push(label(left - 8, y(row) + 4, fittedName(k, left - 12), { class: k === chosen.topic ? 'chosen' : 'text', 'text-anchor': 'end' }));
    if (low !== undefined) nodes.push(svg('line', { x1: clamp(low), x2: clamp(high), y1: y(row), y2: y(row), class: sure ? 'whisker sure' : 'whisker' }));
    nodes.push(svg('circle', { cx: x(value), cy: y(row), r: 4, class: sure ? 'dot sure' : 'dot' }));
  });
  return {
    width, height: bottom + 24, nodes,
    under: (_, py) => {
      const row = rows[Math.floor((py - top) / step)];
      return row && py > top ? linesOf(row) : [];
    },
    choose: (_, py) => chooseTopic(rows[Math.floor((py - top) / step)]?.k ?? chosen.topic),
    values: {
      rows: rows.length, columns: 1, first: () => [0, 0],
      at: (row) => ({ x: x(rows[row].value), y: y(row), lines: linesOf(rows[row]) }), choose: (row) => chooseTopic(rows[row].k),
    },
  };
}

// The rows whose values are largest compared with their intervals, by decreasing value; and whether they are all.
function mostCertain(rows, most) {
  const order = ({ value, high }) => (high > value ? Math.abs(value) / (high - value) : Math.abs(value));
  const shown = [...rows].sort((p, q) => order(q) - order(p) || p.k - q.k).slice(0, most);
  return { shown: shown.sort((p, q) => q.value - p.value || p.k - q.k), all: rows.length === shown.length };
}
