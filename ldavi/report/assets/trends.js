// Trends: the chosen topic and others that the reader keeps, over the bins of a column, with confidence intervals.
const kept = new Set(); // topics that stay in the chart
const MAX_LINES = 8;

function column() {
  return data.columns[Number($('column').value)];
}

function cut() {
  return column().cuts[Number($('cut').value)] || column().cuts[0];
}

// The share of a topic in a bin, and half of the width of its interval, undefined where it is not known.
function shareOf(topic, b) {
  return cut().share[topic][b] / data.unit;
}

function halfOf(topic, b) {
  const half = cut().half[topic][b];
  return half < 0 ? undefined : half / data.unit;
}

function interval(share, half) {
  return `${percent(Math.max(0, share - half), 2)} to ${percent(Math.min(1, share + half), 2)}`;
}

function nameOfBin(kind, unit, bin) {
  if (kind !== 'date') return bin;
  const year = bin.slice(0, -6);
  const quarter = 1 + Math.floor((Number(bin.slice(-5, -3)) - 1) / 3);
  return { year, decade: `${year}s`, quarter: `${year}, quarter ${quarter}`, month: bin.slice(0, -3), day: bin }[unit] || `from ${bin}`;
}

function binName(b) {
  return nameOfBin(column().kind, cut().unit, cut().bins[b]);
}

// The lines of the tooltip of a bin, for one topic.
function binLines(topic, b) {
  const half = halfOf(topic, b);
  const share = shareOf(topic, b);
  return [
    binName(b), `${percent(share, 2)} of its tokens`, ...(half === undefined ? [] : [`95 % interval: ${interval(share, half)}`]),
    `${whole(cut().documents[b])} documents`,
  ];
}

function linesShown() {
  return [chosen.topic, ...[...kept].filter((k) => k !== chosen.topic)].slice(0, MAX_LINES);
}

function lineColour(i) {
  return `var(--c${i})`;
}

// Positions of the bins on an axis: time in milliseconds, else integers.
function binAxis() {
  const { bins } = cut();
  if (column().kind !== 'date') return { at: bins.map((_, b) => b), ends: [-0.5, bins.length - 0.5] };
  const starts = bins.map((bin) => Date.parse(bin));
  const last = starts.length > 1 ? starts[starts.length - 1] - starts[starts.length - 2] : 864e5;
  const bounds = [...starts, starts[starts.length - 1] + last];
  return { at: starts.map((start, b) => (start + bounds[b + 1]) / 2), bounds, ends: [bounds[0], bounds[bounds.length - 1]] };
}

function nearestBin(at, value) {
  return at.reduce((best, middle, b) => (Math.abs(middle - value) < Math.abs(at[best] - value) ? b : best), 0);
}

function dateTicks([low, high], wanted) {
  const day = 864e5;
  const span = high - low;
  const found = [];
  if (span > 366 * day * 2) {
    const first = new Date(low).getUTCFullYear();
    const years = new Date(high).getUTCFullYear() - first + 1;
    const step = [1, 2, 5, 10, 20, 50, 100].find((s) => years / s <= wanted) || 100;
    for (let year = Math.ceil(first / step) * step; Date.UTC(year, 0) <= high; year += step) found.push([Date.UTC(year, 0), String(year)]);
  } else if (span > 62 * day) {
    const months = span / (30 * day);
    const step = [1, 2, 3, 6].find((s) => months / s <= wanted) || 12;
    const start = new Date(low);
    for (let m = 0; ; m += step) {
      const time = Date.UTC(start.getUTCFullYear(), Math.ceil(start.getUTCMonth() / step) * step + m);
      if (time > high) break;
      found.push([time, new Date(time).toISOString().slice(0, 7)]);
    }
  } else {
    const step = Math.max(1, Math.ceil(span / day / wanted));
    for (let time = low; time <= high; time += step * day) found.push([time, new Date(time).toISOString().slice(5, 10)]);
  }
  return found.filter(([time]) => time >= low);
}

// The horizontal axis of bins: nodes, and how much space they need.
function axisBelow(x, y, axis, width) {
  if (column().kind === 'date') {
    return dateTicks(axis.ends, Math.max(2, width / 70)).map(([time, text]) => label(x(time), y + 16, text, { class: 'tick', 'text-anchor': x(axis.ends[1]) - x(time) < 14 ? 'end' : 'middle' }));
  }
  const { bins } = cut();
  const room = Math.abs(x(1) - x(0));
  const every = Math.max(1, Math.ceil(14 / room));
  const slanted = bins.some((bin) => textWidth(short(bin, 18)) > room - 6);
  return bins.flatMap((bin, b) => {
    if (b % every) return [];
    const place = slanted ? { transform: `translate(${x(b) + 4},${y + 14}) rotate(-40)`, 'text-anchor': 'end' } : { transform: `translate(${x(b)},${y + 16})`, 'text-anchor': 'middle' };
    return [label(0, 0, short(bin, 18), { ...place, class: 'tick' })];
  });
}

function axisLeft(y, high, left, right, wanted = 5) {
  return ticks(0, high, wanted).flatMap((value) => [
    svg('line', { x1: left, x2: right, y1: y(value), y2: y(value), class: 'grid' }),
    label(left - 8, y(value) + 4, percentTick(value, high), { class: 'tick', 'text-anchor': 'end' }),
  ]);
}

function highestShare(topics) {
  const shown = $('intervals').checked;
  const tops = topics.flatMap((k) => cut().share[k].map((_, b) => (cut().documents[b] ? shareOf(k, b) : 0)));
  const highest = Math.max(...tops, data.topics[chosen.topic].share);
  if (!shown) return 1.06 * highest || 1;
  const ends = topics.flatMap((k) => cut().share[k].map((_, b) => (cut().documents[b] ? shareOf(k, b) + (halfOf(k, b) || 0) : 0)));
  return Math.min(1.02, 1.04 * Math.min(Math.max(...ends, highest), 2 * highest)) || 1; // a few wide intervals leave the chart
}

// Runs of bins with documents, so that lines and bands have gaps where there are none.
function runs() {
  const found = [[]];
  cut().bins.forEach((_, b) => {
    if (cut().documents[b]) found[found.length - 1].push(b);
    else if (found[found.length - 1].length) found.push([]);
  });
  return found.filter((run) => run.length);
}

function lineChart(width) {
  const topics = linesShown();
  const axis = binAxis();
  const { kind } = column();
  const [left, right, top] = [48, width - 8, 8];
  const long = kind !== 'date' && cut().bins.some((bin) => textWidth(short(bin, 18)) > (right - left) / cut().bins.length - 6);
  const height = 300 + (long ? 78 : 26);
  const bottom = 300;
  const x = scale(...axis.ends, left, right);
  const high = highestShare(topics);
  const y = scale(0, high, bottom, top);
  const clamp = (value) => Math.max(top, y(value));
  const nodes = [...axisLeft(y, high, left, right), ...axisBelow(x, bottom, axis, right - left)];
  const mean = data.topics[chosen.topic].share;
  nodes.push(svg('line', { x1: left, x2: right, y1: y(mean), y2: y(mean), class: 'mean' }));
  const drawn = topics.map((k, i) => [k, lineColour(i)]).reverse();
  for (const [k, stroke] of drawn) {
    for (const run of runs()) {
      if ($('intervals').checked) {
        const known = run.filter((b) => halfOf(k, b) !== undefined);
        const upper = known.map((b) => `${x(axis.at[b])},${clamp(shareOf(k, b) + halfOf(k, b))}`);
        const lower = known.map((b) => `${x(axis.at[b])},${y(Math.max(0, shareOf(k, b) - halfOf(k, b)))}`).reverse();
        if (known.length > 1) nodes.push(svg('polygon', { points: [...upper, ...lower].join(' '), style: `fill:${stroke}`, class: 'interval' }));
        else for (const b of known) nodes.push(svg('line', { x1: x(axis.at[b]), x2: x(axis.at[b]), y1: clamp(shareOf(k, b) + halfOf(k, b)), y2: y(Math.max(0, shareOf(k, b) - halfOf(k, b))), style: `stroke:${stroke}`, class: 'whisker' }));
      }
      nodes.push(svg('polyline', { points: run.map((b) => `${x(axis.at[b])},${y(shareOf(k, b))}`).join(' '), style: `stroke:${stroke}`, class: 'line' }));
      if (cut().bins.length <= 60) for (const b of run) nodes.push(svg('circle', { cx: x(axis.at[b]), cy: y(shareOf(k, b)), r: 2.5, style: `fill:${stroke}` }));
    }
  }
  const lines = (k, b) => (topics.length > 1 ? [nameOf(k), ...binLines(k, b)] : binLines(k, b));
  return {
    width, height, nodes,
    under: (px, py) => {
      const b = nearestBin(axis.at, x.invert(px));
      const nearest = topics.reduce((best, k) => (Math.abs(y(shareOf(k, b)) - py) < Math.abs(y(shareOf(best, b)) - py) ? k : best), topics[0]);
      return lines(nearest, b);
    },
    values: {
      rows: topics.length, columns: cut().bins.length, first: () => [0, 0],
      at: (row, b) => ({ x: x(axis.at[b]), y: y(shareOf(topics[row], b)), lines: lines(topics[row], b) }),
    },
  };
}

function dotChart(width) {
  const topics = linesShown();
  const { bins, documents } = cut();
  const rows = bins.map((_, b) => b).sort((a, b) => shareOf(chosen.topic, b) - shareOf(chosen.topic, a));
  const step = Math.max(22, 10 * topics.length + 6);
  const left = Math.min(width * 0.38, 16 + Math.max(...bins.map((bin) => textWidth(short(bin, 34)))));
  const right = width - 12;
  const bottom = 8 + rows.length * step;
  const high = highestShare(topics);
  const x = scale(0, high, left, right);
  const y = (row, i = 0) => 8 + row * step + (step * (i + 1)) / (topics.length + 1);
  const nodes = ticks(0, high, Math.max(2, (right - left) / 90)).flatMap((value) => [
    svg('line', { x1: x(value), x2: x(value), y1: 4, y2: bottom, class: 'grid' }),
    label(x(value), bottom + 16, percentTick(value, high), { class: 'tick', 'text-anchor': 'middle' }),
  ]);
  const mean = data.topics[chosen.topic].share;
  nodes.push(svg('line', { x1: x(mean), x2: x(mean), y1: 4, y2: bottom, class: 'mean' }));
  rows.forEach((b, row) => {
    nodes.push(label(left - 8, 8 + (row + 0.5) * step + 4, fitted(bins[b], left - 12), { class: 'text', 'text-anchor': 'end' }));
    if (!documents[b]) return;
    topics.forEach((k, i) => {
      const [share, half] = [shareOf(k, b), halfOf(k, b)];
      const line = { y1: y(row, i), y2: y(row, i), class: 'whisker', style: `stroke:${lineColour(i)}` };
      if ($('intervals').checked && half !== undefined) nodes.push(svg('line', { x1: x(Math.max(0, share - half)), x2: Math.min(right, x(share + half)), ...line }));
      nodes.push(svg('circle', { cx: x(share), cy: y(row, i), r: 4, style: `fill:${lineColour(i)}` }));
    });
  });
  const lines = (k, b) => (topics.length > 1 ? [nameOf(k), ...binLines(k, b)] : binLines(k, b));
  return {
    width, height: bottom + 24, nodes, cut: [8, step],
    under: (px, py) => {
      const row = Math.floor((py - 8) / step);
      const i = Math.max(0, Math.min(topics.length - 1, Math.round(((py - 8 - row * step) / step) * (topics.length + 1)) - 1));
      return row in rows ? lines(topics[i], rows[row]) : [];
    },
    values: {
      rows: rows.length, columns: topics.length, first: () => [0, 0],
      at: (row, i) => ({ x: x(shareOf(topics[i], rows[row])), y: y(row, i), lines: lines(topics[i], rows[row]) }),
    },
  };
}

if (data.columns.length) {
  draw.trend = (place, width) => {
    if (!cut().bins.length) return null;
    return column().kind === 'class' ? dotChart(width) : lineChart(width);
  };
}

function fillCuts() {
  const { cuts } = column();
  $('cut').replaceChildren(...cuts.map((bins, i) => element('option', { value: i, textContent: bins.unit || 'values' })));
  $('cut-label').hidden = cuts.length < 2;
}

function describeTrend() {
  const { name, kind, missing } = column();
  const { bins, unit } = cut();
  $('trend-title').textContent = `Topic ${nameOf(chosen.topic)}, over ${name}`;
  const left = missing ? ` ${whole(missing)} documents without a value, or outside the bins, are left out.` : '';
  const per = kind === 'date' ? (unit && unit !== 'chosen' ? unit : 'period') : kind === 'number' ? 'range' : 'class';
  $('trend-hint').textContent = bins.length
    ? `Share of the tokens of each ${per}, with 95 % confidence intervals over its documents; dotted: the topic’s share of all documents.${left}`
    : 'No document has a value.';
  $('trend-legend').replaceChildren(...linesShown().map((k, i) => {
    const swatch = element('i');
    swatch.style.background = lineColour(i);
    const chip = element('button', { type: 'button', title: k === chosen.topic ? 'The chosen topic' : 'Remove from the chart' }, swatch, element('span', { className: 'label', textContent: nameOf(k) }));
    chip.dataset.topic = k;
    if (k !== chosen.topic) chip.append(element('span', { textContent: '×', ariaHidden: 'true' }));
    return chip;
  }));
}

function trendsChanged() {
  for (const id of ['trend', 'heat', 'groups']) if ($(id)) cursors.delete($(id));
  describeTrend();
  fillGroups();
  redraw('trend', 'heat', 'groups');
}

function fillKeep() {
  fillTopics($('keep'));
  $('keep').prepend(element('option', { value: '', textContent: 'Add a topic …' }));
  $('keep').value = '';
}

if (data.columns.length) {
  $('column').append(...data.columns.map((entry, i) => element('option', { value: i, textContent: entry.name })));
  fillCuts();
  fillKeep();
  $('column').addEventListener('change', () => {
    fillCuts();
    trendsChanged();
  });
  $('cut').addEventListener('change', trendsChanged);
  $('intervals').addEventListener('change', () => redraw('trend'));
  $('keep').addEventListener('change', () => {
    if ($('keep').value !== '') kept.add(Number($('keep').value)).add(chosen.topic);
    $('keep').value = '';
    describeTrend();
    redraw('trend');
  });
  $('trend-legend').addEventListener('click', (event) => {
    const chip = event.target.closest('button');
    if (!chip) return;
    kept.delete(Number(chip.dataset.topic));
    describeTrend();
    redraw('trend');
  });
  whenTopicChanges(() => {
    describeTrend();
    redraw('trend');
  });
}
