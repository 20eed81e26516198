// Effects of covariates on the shares of topics: a chart and a table of one term, and the shares of a topic by group.
const EFFECTS = data.effects;

function effectsOfTerm() {
  const p = Number($('term').value);
  const known = (value) => (value === null ? undefined : value);
  return data.topics.map((_, k) => ({
    k, value: EFFECTS.estimate[p][k], error: EFFECTS.std_error[p][k], low: known(EFFECTS.lower[p][k]), high: known(EFFECTS.upper[p][k]),
  }));
}

// In percentage points, with three significant digits.
function precise(value) {
  if (value === undefined || value === null) return '–';
  const scaled = 100 * value;
  const digits = scaled ? Math.max(0, Math.min(12, 2 - Math.floor(Math.log10(Math.abs(scaled))))) : 0;
  return scaled.toFixed(digits);
}

function meaning(term) {
  if (term === 'Intercept') return 'Intercept: the share where all other terms are 0.';
  const level = /^(?:C\()?([^:]*?)\)?\[T\.(.*)\]$/s.exec(term);
  if (level && EFFECTS.first_levels[level[1]] !== undefined) {
    return `Difference between ${level[2]} and ${EFFECTS.first_levels[level[1]]}, the first level of ${level[1]}, the other terms being equal.`;
  }
  return 'Change of the share if the term is larger by 1, the other terms being equal.';
}

function fillEffects() {
  const rows = effectsOfTerm().sort((a, b) => b.value - a.value || a.k - b.k);
  const cell = (text) => element('td', { textContent: text });
  $('effects-table-title').textContent = `Effect of ${EFFECTS.terms[Number($('term').value)]} on all topics`;
  $('effects-table').tBodies[0].replaceChildren(...rows.map(({ k, value, error, low, high }) => {
    const head = element('th', {}, element('button', { type: 'button', textContent: data.topics[k].label }));
    head.setAttribute('scope', 'row');
    const row = element('tr', {}, cell(k), head, cell(precise(value)), cell(precise(error)), cell(precise(low)), cell(precise(high)));
    row.dataset.topic = k;
    row.toggleAttribute('aria-current', k === chosen.topic);
    return row;
  }));
}

function shareBars(width) {
  const { kind, bins, unit, documents, share, lower, upper } = EFFECTS.groups[Number($('grouping').value)];
  const k = chosen.topic;
  const rows = bins.map((_, g) => g);
  if (kind === 'class') rows.sort((a, b) => share[k][b] - share[k][a]);
  const names = bins.map((bin) => nameOfBin(kind, unit, bin));
  const step = 22;
  const left = Math.min(width * 0.38, 16 + Math.max(...names.map((name) => textWidth(short(name, 34)))));
  const right = width - 12;
  const bottom = 8 + rows.length * step;
  const mean = data.topics[k].share;
  const high = Math.min(1.02, 1.04 * Math.max(mean, ...rows.map((g) => Math.min(upper[k][g] ?? share[k][g], 2 * share[k][g] + 0.01)))) || 1;
  const x = scale(0, high, left, right);
  const within = (value) => Math.max(left, Math.min(right, x(value)));
  const y = (row) => 8 + (row + 0.5) * step;
  const nodes = ticks(0, high, Math.max(2, (right - left) / 90)).flatMap((value) => [
    svg('line', { x1: x(value), x2: x(value), y1: 4, y2: bottom, class: 'grid' }),
    label(x(value), bottom + 16, percentTick(value, high), { class: 'tick', 'text-anchor': 'middle' }),
  ]);
  nodes.push(svg('line', { x1: x(mean), x2: x(mean), y1: 4, y2: bottom, class: 'mean' }));
  rows.forEach((g, row) => {
    nodes.push(label(left - 8, y(row) + 4, fitted(names[g], left - 12), { class: 'text', 'text-anchor': 'end' }));
    if (lower[k][g] !== null) nodes.push(svg('line', { x1: within(lower[k][g]), x2: within(upper[k][g]), y1: y(row), y2: y(row), class: 'whisker sure' }));
    nodes.push(svg('circle', { cx: x(share[k][g]), cy: y(row), r: 4, class: 'dot sure' }));
  });
  const linesOf = (g) => [
    names[g], `mean share ${percent(share[k][g], 2)}`,
    ...(lower[k][g] === null ? [] : [`95 % interval: ${percent(Math.max(0, lower[k][g]), 2)} to ${percent(Math.min(1, upper[k][g]), 2)}`]),
    `${whole(documents[g])} documents`,
  ];
  return {
    width, height: bottom + 24, nodes, cut: [8, step],
    under: (_, py) => (Math.floor((py - 8) / step) in rows ? linesOf(rows[Math.floor((py - 8) / step)]) : []),
    values: {
      rows: rows.length, columns: 1, first: () => [0, 0],
      at: (row) => ({ x: x(share[k][rows[row]]), y: y(row), lines: linesOf(rows[row]) }),
    },
  };
}

if (EFFECTS) {
  draw.effect = (place, width) => {
    const { shown, all } = mostCertain(effectsOfTerm(), COMPARED);
    const term = EFFECTS.terms[Number($('term').value)];
    $('effect-hint').textContent = `${meaning(term)} ${all ? 'All topics' : `The ${shown.length} topics whose effect is largest compared with its interval`}; `
      + `percentage points of the share, with 95 % intervals, filled where the interval excludes 0. Of ${whole(data.topics.length)} topics without any effect, about 5 % would be filled too.`;
    const linesOf = ({ k, value, error, low, high }) => [
      nameOf(k), `${term}: ${value > 0 ? '+' : ''}${precise(value)} percentage points`,
      ...(low === undefined ? [] : [`95 % interval: ${precise(low)} to ${precise(high)}`, `standard error ${precise(error)}`]),
    ];
    const slack = 0.5 * Math.max(...shown.map(({ value }) => Math.abs(value)));
    return intervalChart(width, shown, { ends: ['smaller share', 'larger share'], slack, linesOf });
  };
  $('term').append(...EFFECTS.terms.map((term, p) => element('option', { value: p, textContent: short(term, 60) })));
  $('term').value = Math.min(1, EFFECTS.terms.length - 1);
  $('term').addEventListener('change', () => {
    cursors.delete($('effect'));
    fillEffects();
    redraw('effect');
  });
  $('effects-table').addEventListener('click', (event) => {
    if (event.target.closest('button')) chooseTopic(Number(event.target.closest('tr').dataset.topic));
  });
  whenTopicChanges((topic) => {
    for (const row of $('effects-table').tBodies[0].rows) row.toggleAttribute('aria-current', Number(row.dataset.topic) === topic);
  });
  whenNamesChange(fillEffects);
  fillEffects();
}
if (EFFECTS && EFFECTS.groups.length) {
  const title = () => { $('effect-groups-title').textContent = `Share of topic ${nameOf(chosen.topic)}`; };
  draw['effect-groups'] = (place, width) => shareBars(width);
  $('grouping').addEventListener('change', () => {
    cursors.delete($('effect-groups'));
    redraw('effect-groups');
  });
  whenTopicChanges(title);
  whenNamesChange(title);
}
