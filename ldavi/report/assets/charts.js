// Charts by Bokeh, loaded after the rest of the page is displayed. Bokeh draws on canvases; tooltips are HTML text.
const short = (text, maxLength) => (text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
// Functions that draw a chart, by the id of its container. Each returns the figure, a function from an event to the lines of
// its tooltip, and the values in rows and columns for keyboard users: `values.at(row, column)` is a position on the axes and
// its lines.
const draw = {};
const outdated = new Set(); // charts to draw
const visible = new Set();
let ready = false;

function redraw(...ids) {
  for (const id of ids) if ($(id)) outdated.add(id);
  if (!ready) return;
  for (const id of [...outdated]) {
    if (!visible.has(id)) continue;
    outdated.delete(id);
    const place = $(id);
    place.classList.remove('waiting');
    if (place.closest('#trends') && !column().bins.length) {
      place.replaceChildren(); // the hint below says that no document has a value
      navigable.delete(place);
      continue;
    }
    show(place, draw[id](place));
  }
}

async function show(place, { figure, under, choose, values }) {
  const drawing = element('div', { className: 'drawing' });
  const tip = element('div', { className: 'tip', hidden: true });
  const ring = element('div', { className: 'ring', hidden: true });
  const write = (lines, sx, sy) => {
    tip.hidden = !lines.length;
    tip.replaceChildren(...lines.map((line) => element('span', { textContent: line })));
    const right = sx > place.clientWidth / 2;
    Object.assign(tip.style, { top: `${sy + 14}px`, left: right ? 'auto' : `${sx + 14}px`, right: right ? `${place.clientWidth - sx + 14}px` : 'auto' });
  };
  const showTip = (event) => {
    ring.hidden = true;
    write(under(event) || [], event.sx, event.sy);
  };
  figure.on_event('mousemove', showTip);
  figure.on_event('tap', (event) => {
    showTip(event);
    if (choose) choose(event);
  });
  figure.on_event('mouseleave', () => { tip.hidden = true; });
  place.replaceChildren(drawing, tip, ring);
  place.removeAttribute('data-drawn');
  const view = await Bokeh.Plotting.show(figure, drawing);
  navigable.set(place, {
    values,
    point(row, c) {
      const { x, y, lines } = values.at(row, c);
      const [sx, sy] = [view.frame.x_scale.compute(x), view.frame.y_scale.compute(y)];
      ring.hidden = false;
      Object.assign(ring.style, { left: `${sx}px`, top: `${sy}px` });
      write(lines, sx, sy);
      announcement.textContent = lines.join(', ');
    },
    leave() {
      tip.hidden = ring.hidden = true;
    },
  });
  place.dataset.drawn = 'yes';
  if (document.activeElement === place && cursors.has(place)) moveTo(place, cursors.get(place));
}

// Keyboard navigation: a chart is one tab stop, arrow keys move between values, Enter chooses a topic.
const navigable = new Map(); // by the container of a chart: its values, and a function that highlights one
const cursors = new Map(); // row and column of the value highlighted last
const announcement = $('announcement'); // read by screen readers

function moveTo(place, [row, c]) {
  const { values, point } = navigable.get(place);
  const at = [Math.max(0, Math.min(row, values.rows - 1)), Math.max(0, Math.min(c, values.columns - 1))];
  cursors.set(place, at);
  point(...at);
}

function steps(event, place) {
  const { values } = navigable.get(place);
  const [row, c] = cursors.get(place) || values.first();
  const began = cursors.has(place);
  const by = (rows, columns) => (began ? [row + rows, c + columns] : [row, c]);
  const to = {
    ArrowLeft: () => values.columns > 1 && by(0, -1),
    ArrowRight: () => values.columns > 1 && by(0, 1),
    ArrowUp: () => values.rows > 1 && by(1, 0), // rows are counted from the bottom, as on an axis
    ArrowDown: () => values.rows > 1 && by(-1, 0),
    Home: () => (values.columns > 1 ? [row, 0] : [values.rows - 1, 0]),
    End: () => (values.columns > 1 ? [row, values.columns - 1] : [0, 0]),
  }[event.key];
  return to && to();
}

function byKeyboard(place) {
  place.tabIndex = 0;
  place.setAttribute('role', 'application');
  place.setAttribute('aria-roledescription', 'chart');
  place.setAttribute('aria-describedby', 'chart-keys');
  place.addEventListener('keydown', (event) => {
    if (!navigable.has(place) || !navigable.get(place).values || event.ctrlKey || event.metaKey || event.altKey) return;
    const { values, leave } = navigable.get(place);
    const to = steps(event, place);
    if (to) {
      moveTo(place, to);
    } else if (event.key === 'Escape') {
      leave();
    } else if ((event.key === 'Enter' || event.key === ' ') && values.choose && cursors.has(place)) {
      values.choose(...cursors.get(place));
    } else {
      return;
    }
    event.preventDefault();
  });
  place.addEventListener('blur', () => navigable.get(place)?.leave());
}

function newFigure(place, options) {
  const figure = Bokeh.Plotting.figure({
    sizing_mode: 'stretch_width', tools: [], toolbar_location: null, background_fill_color: null, border_fill_color: null,
    outline_line_color: null, min_border: 6, ...options,
  });
  const font = { text_font: 'system-ui, sans-serif', text_font_size: '12px', text_color: colour('soft') };
  const labels = Object.fromEntries(['major_label', 'axis_label'].flatMap((part) => Object.entries(font).map(([key, value]) => [`${part}_${key}`, value])));
  for (const axis of [...figure.below, ...figure.left]) {
    axis.setv({ ...labels, axis_label_text_font_style: 'normal', axis_line_color: colour('line'), major_tick_line_color: null, minor_tick_line_color: null });
  }
  for (const grid of figure.center) grid.grid_line_color = null;
  return figure;
}

function grid(figure, dimension) {
  for (const lines of figure.center) if (lines.dimension === dimension) lines.grid_line_color = colour('faint');
}

const percentages = () => new Bokeh.NumeralTickFormatter({ format: '0.[0]%' });
const source = (columns) => new Bokeh.ColumnDataSource({ data: columns });

draw.map = (place) => {
  const [x, y] = data.map;
  const widest = Math.max(24, Math.min(64, place.clientWidth / 9)) * Math.max(0.45, Math.min(1, 6 / Math.sqrt(data.topics.length)));
  const sizes = data.topics.map((topic) => Math.max(6, widest * Math.sqrt(topic.share / largestShare)));
  const selected = (k) => k === chosen.topic;
  const back = data.topics.map((_, k) => k).sort((a, b) => selected(a) - selected(b) || sizes[b] - sizes[a]);
  const range = (values) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const margin = 0.12 * (high - low) || 1;
    return [low - margin, high + margin];
  };
  const [xs, ys] = [range(x), range(y)];
  const height = place.clientHeight;
  const figure = newFigure(place, { height, x_range: xs, y_range: ys, x_axis_location: null, y_axis_location: null });
  const columns = {
    x: back.map((k) => x[k]), y: back.map((k) => y[k]), size: back.map((k) => sizes[k]),
    fill: back.map((k) => colour(selected(k) ? 'accent' : 'accent-soft')), line: back.map((k) => colour(selected(k) ? 'ink' : 'accent')),
    text: back.map((k) => (sizes[k] >= 8 + 6 * String(k).length ? String(k) : '')), ink: back.map((k) => colour(selected(k) ? 'on-accent' : 'ink')),
  };
  const points = source(columns);
  const field = (name) => ({ field: name });
  figure.scatter(field('x'), field('y'), { source: points, size: field('size'), fill_color: field('fill'), line_color: field('line'), fill_alpha: 0.9 });
  figure.text(field('x'), field('y'), field('text'), {
    source: points, text_color: field('ink'), text_font: 'system-ui, sans-serif', text_font_size: '11px', text_align: 'center', text_baseline: 'middle',
  });
  const nearest = (event) => {
    const away = (k) => Math.hypot(((x[k] - event.x) / (xs[1] - xs[0])) * place.clientWidth, ((y[k] - event.y) / (ys[1] - ys[0])) * height);
    return [...back].reverse().find((k) => away(k) <= Math.max(10, sizes[k] / 2));
  };
  const under = (event) => {
    const k = nearest(event);
    return k === undefined ? [] : linesOf(k);
  };
  const choose = (event) => chooseTopic(nearest(event) ?? chosen.topic);
  const linesOf = (k) => [nameOf(k), `${percent(data.topics[k].share, 2)} of all tokens`];
  const bySize = data.topics.map((_, k) => k).sort(orders.share);
  const values = {
    rows: 1, columns: bySize.length, first: () => [0, bySize.indexOf(chosen.topic)], at: (_, c) => ({ x: x[bySize[c]], y: y[bySize[c]], lines: linesOf(bySize[c]) }),
    choose: (_, c) => chooseTopic(bySize[c]),
  };
  return { figure, under, choose, values };
};

function column() {
  return data.columns[Number($('column').value)];
}

// The lines of the tooltip of bin b of the column, for one topic.
function cell(topic, b) {
  const { kind, bins, documents, share } = column();
  return b in bins ? [kind === 'date' ? `from ${bins[b]}` : bins[b], `${percent(share[topic][b], 2)} of its tokens`, `${documents[b].toLocaleString('en')} documents`] : [];
}

// The middle of each bin on an axis, and a function from a position to its bin: time in milliseconds, else integers.
function binAxis({ kind, bins }) {
  if (kind !== 'date') return { at: bins.map((_, b) => b), width: 1, find: (x) => Math.round(x) };
  const starts = bins.map((bin) => Date.parse(bin));
  const width = bins.length > 1 ? (starts[bins.length - 1] - starts[0]) / (bins.length - 1) : 864e5;
  const at = starts.map((start) => start + width / 2);
  return { at, width, find: (x) => at.reduce((best, middle, b) => (Math.abs(middle - x) < Math.abs(at[best] - x) ? b : best), 0) };
}

function nameTicks(axis, labels, maxLength) {
  axis.ticker = new Bokeh.FixedTicker({ ticks: labels.map((_, b) => b) });
  axis.major_label_overrides = new Map(labels.map((label, b) => [b, short(label, maxLength)]));
}

draw.trend = (place) => {
  const { kind, bins, documents, share } = column();
  const mine = share[chosen.topic];
  const mean = data.topics[chosen.topic].share;
  const upper = 1.06 * Math.max(mean, ...mine) || 1;
  const dotted = { line_color: colour('soft'), line_dash: 'dotted', line_width: 1.5 };
  if (kind === 'class') {
    const rows = bins.map((_, b) => b).sort((a, b) => mine[a] - mine[b]);
    const figure = newFigure(place, { height: Math.max(160, (rows.length > 25 ? 18 : 24) * rows.length + 48), x_range: [0, upper], y_range: [-0.6, rows.length - 0.4] });
    grid(figure, 0);
    nameTicks(figure.left[0], rows.map((b) => bins[b]), place.clientWidth < 480 ? 16 : 28);
    figure.below[0].formatter = percentages();
    figure.below[0].ticker.desired_num_ticks = place.clientWidth < 480 ? 3 : 6;
    figure.hbar(rows.map((_, i) => i), 0.68, rows.map((b) => mine[b]), 0, { fill_color: colour('accent'), line_color: null });
    figure.line([mean, mean], [-0.6, rows.length - 0.4], dotted);
    const values = { rows: rows.length, columns: 1, first: () => [rows.length - 1, 0], at: (row) => ({ x: mine[rows[row]], y: row, lines: cell(chosen.topic, rows[row]) }) };
    return { figure, under: (event) => cell(chosen.topic, rows[Math.round(event.y)]), values };
  }
  const { at, width, find } = binAxis(column());
  const ends = [at[0] - width / 2, at[at.length - 1] + width / 2];
  const figure = newFigure(place, { height: 320, x_range: ends, y_range: [0, upper], x_axis_type: kind === 'date' ? 'datetime' : 'linear' });
  grid(figure, 1);
  figure.left[0].formatter = percentages();
  if (kind === 'date') {
    const there = mine.map((value, b) => (documents[b] ? value : NaN));
    figure.varea(at, 0, there, { fill_color: colour('accent'), fill_alpha: 0.12 });
    figure.line(at, there, { line_color: colour('accent'), line_width: 2 });
    figure.scatter(at, there, { size: 5, fill_color: colour('accent'), line_color: null });
  } else {
    nameTicks(figure.below[0], bins, 18);
    if (bins.length > 8) figure.below[0].major_label_orientation = Math.PI / 4;
    figure.vbar(at, 0.72, mine, 0, { fill_color: colour('accent'), line_color: null });
  }
  figure.line(ends, [mean, mean], dotted);
  const values = { rows: 1, columns: bins.length, first: () => [0, 0], at: (_, b) => ({ x: at[b], y: mine[b], lines: cell(chosen.topic, b) }) };
  return { figure, under: (event) => cell(chosen.topic, find(event.x)), values };
};

draw.heat = (place) => {
  const { kind, bins, documents, share } = column();
  const rows = data.topics.map((_, k) => k).filter((k) => data.topics[k].documents > 0).sort(orders.share).reverse();
  const few = rows.length <= 40;
  const { at, width, find } = binAxis(column());
  const ends = [at[0] - width / 2, at[at.length - 1] + width / 2];
  const height = few ? 24 * Math.max(2, rows.length) : Math.min(560, 5 * rows.length);
  const showsBins = kind === 'date' || place.clientWidth >= 480 || bins.length <= 6; // else a tap on a cell shows its bin
  const figure = newFigure(place, {
    frame_height: height, x_range: ends, y_range: [-0.5, rows.length - 0.5], x_axis_type: kind === 'date' ? 'datetime' : 'linear',
    x_axis_location: showsBins ? 'below' : null, y_axis_location: few ? 'left' : null, min_border_left: few ? 6 : 48, // the first slanted label needs space
  });
  const cells = { x: [], y: [], alpha: [] };
  rows.forEach((k, row) => {
    const highest = Math.max(...share[k]) || 1;
    share[k].forEach((value, b) => {
      if (!documents[b]) return;
      cells.x.push(at[b]);
      cells.y.push(row);
      cells.alpha.push(value / highest);
    });
  });
  const gap = few && bins.length <= 40 ? 0.94 : 1;
  figure.rect({ field: 'x' }, { field: 'y' }, width * gap, gap, { source: source(cells), fill_color: colour('accent'), fill_alpha: { field: 'alpha' }, line_color: null });
  const row = rows.indexOf(chosen.topic);
  if (row >= 0) figure.rect([(ends[0] + ends[1]) / 2], [row], ends[1] - ends[0], 1, { fill_color: null, line_color: colour('ink'), line_width: 1.5 });
  if (few) nameTicks(figure.left[0], rows.map(nameOf), place.clientWidth < 480 ? 14 : 26);
  if (showsBins && kind !== 'date') {
    nameTicks(figure.below[0], bins, 20);
    figure.below[0].major_label_orientation = bins.length > 4 ? Math.PI / 3 : 'horizontal';
  }
  const under = (event) => {
    const k = rows[Math.round(event.y)];
    const lines = k === undefined ? [] : cell(k, find(event.x));
    return lines.length ? [nameOf(k), ...lines] : [];
  };
  const values = {
    rows: rows.length, columns: bins.length, first: () => [Math.max(row, 0), 0], at: (r, b) => ({ x: at[b], y: r, lines: [nameOf(rows[r]), ...cell(rows[r], b)] }),
    choose: (r) => chooseTopic(rows[r]),
  };
  return { figure, under, choose: (event) => chooseTopic(rows[Math.round(event.y)] ?? chosen.topic), values };
};

draw.trace = (place) => {
  const { iteration, phase, elbo, perplexity } = data.trace;
  const names = { warmup: 'warm-up' };
  const phases = [...new Set(phase)];
  const figure = newFigure(place, { height: 320 });
  grid(figure, 1);
  const [unit, unitName] = [[1e9, 'billion '], [1e6, 'million '], [1e3, 'thousand '], [1, '']].find(([size]) => size === 1 || Math.abs(elbo[elbo.length - 1]) >= size);
  figure.below[0].axis_label = 'pass';
  figure.left[0].axis_label = `${unitName}nats`;
  phases.forEach((name, n) => {
    const last = n === phases.length - 1;
    const rows = iteration.map((_, i) => i).filter((i) => phase[i] === name);
    const [xs, ys] = [rows.map((i) => iteration[i]), rows.map((i) => elbo[i] / unit)];
    const lineColour = colour(last ? 'accent' : 'soft');
    const legend = phases.length > 1 ? { legend_label: names[name] || name } : {};
    figure.line(xs, ys, { line_color: lineColour, line_width: 2, line_dash: last ? 'solid' : 'dotted', ...legend });
    figure.scatter(xs, ys, { size: 5, fill_color: lineColour, line_color: null, ...legend });
  });
  if (phases.length > 1) {
    for (const legend of figure.center.filter((part) => 'items' in part)) {
      legend.setv({ location: 'bottom_right', background_fill_color: null, border_line_color: null, label_text_color: colour('soft'), label_text_font: 'system-ui, sans-serif', label_text_font_size: '12px' });
    }
  }
  const linesOf = (i) => [
    `pass ${iteration[i]}, ${names[phase[i]] || phase[i]}`, `${elbo[i].toLocaleString('en', { maximumFractionDigits: 1 })} nats`, `perplexity ${perplexity[i].toFixed(1)}`,
  ];
  const under = (event) => {
    const i = iteration.reduce((best, pass, j) => (Math.abs(pass - event.x) < Math.abs(iteration[best] - event.x) ? j : best), 0);
    return linesOf(i);
  };
  const values = { rows: 1, columns: iteration.length, first: () => [0, iteration.length - 1], at: (_, i) => ({ x: iteration[i], y: elbo[i] / unit, lines: linesOf(i) }) };
  return { figure, under, values };
};

function describeTrend() {
  const { name, kind, missing, bins } = column();
  $('trend-title').textContent = `Topic ${nameOf(chosen.topic)}, over ${name}`;
  const left = missing ? ` ${missing.toLocaleString('en')} documents without a value are left out.` : '';
  $('trend-hint').textContent = bins.length
    ? `Share of the tokens in each ${kind === 'date' ? 'period' : kind === 'number' ? 'range' : 'class'}; dotted: in all documents.${left}`
    : 'No document has a value.';
}

function loadCharts() {
  document.head.append(element('script', { textContent: $('charts').textContent }));
  if (typeof Bokeh === 'undefined') throw new Error('the browser refused the library');
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) visible.add(entry.target.id);
  redraw();
}, { rootMargin: '200px' });

for (const id of Object.keys(draw)) {
  if (!$(id)) continue;
  $(id).classList.add('waiting');
  outdated.add(id);
  byKeyboard($(id));
  watcher.observe($(id));
}
if (data.columns.length) {
  $('column').append(...data.columns.map((entry, i) => element('option', { value: i, textContent: entry.name })));
  $('column').addEventListener('change', () => {
    for (const id of ['trend', 'heat']) cursors.delete($(id));
    describeTrend();
    redraw('trend', 'heat');
  });
  whenTopicChanges(describeTrend);
}
whenTopicChanges(() => redraw('map', 'trend', 'heat'));
addEventListener('beforeprint', () => {
  for (const id of outdated) visible.add(id);
  redraw();
});

// Colour scheme: that of the system, until the reader presses the button.
const root = document.documentElement;
const systemDark = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : systemDark.matches);

function themeChanged() {
  $('theme').textContent = isDark() ? 'Light' : 'Dark';
  $('theme').setAttribute('aria-label', isDark() ? 'Use light colours' : 'Use dark colours');
  redraw(...Object.keys(draw));
}

$('theme').addEventListener('click', () => {
  root.dataset.theme = isDark() ? 'light' : 'dark';
  themeChanged();
});
systemDark.addEventListener('change', themeChanged);
