// Charts as SVG. Colours are custom properties of the style, so that the colour scheme and printing need no redrawing.
const draw = {}; // functions that draw a chart into a width in pixels, by the id of its container
const outdated = new Set();
const visible = new Set();
const navigable = new Map(); // by container: the values for keyboard users, and functions that highlight one
const cursors = new Map(); // row and column of the value highlighted last
const announcement = $('announcement'); // read by screen readers
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const pen = document.createElement('canvas').getContext('2d');
const PAPER = 700; // width of charts for printing, so that their text is as large as the page's
const [FIRST_SLICE, SLICE] = [760, 900]; // heights that fit a page, below a heading and without one
let ready = false;
let printing = false;

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function label(x, y, text, attributes = {}) {
  return svg('text', { x, y, ...attributes }, text);
}

function textWidth(text, size = 12) {
  pen.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(text).width;
}

// The name of a topic, shortened to a width in pixels; that of the chosen topic is bold, and wider.
function fittedName(topic, width, size = 12) {
  return fitted(nameOf(topic), topic === chosen.topic ? width * 0.9 : width, size);
}

// Shorten a text to a width in pixels.
function fitted(text, width, size = 12) {
  if (textWidth(text, size) <= width) return text;
  let n = Math.max(1, Math.floor((text.length * width) / textWidth(text, size)));
  while (n > 1 && textWidth(`${text.slice(0, n)}…`, size) > width) n -= 1;
  return `${text.slice(0, n)}…`;
}

function scale(low, high, from, to) {
  const factor = (to - from) / (high - low || 1);
  return Object.assign((value) => from + (value - low) * factor, { invert: (position) => low + (position - from) / factor });
}

function ticks(low, high, wanted) {
  const raw = (high - low) / Math.max(1, wanted) || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
  return range(Math.floor(high / step + 1e-9) - Math.ceil(low / step - 1e-9) + 1).map((i) => (Math.ceil(low / step - 1e-9) + i) * step);
}

function percentTick(value, high) {
  const digits = high < 0.005 ? 2 : high < 0.05 ? 1 : 0;
  return `${(100 * value).toFixed(digits)} %`;
}

function redraw(...ids) {
  for (const id of ids) if ($(id)) outdated.add(id);
  if (!ready) return;
  for (const id of [...outdated]) {
    if (!visible.has(id)) continue;
    outdated.delete(id);
    drawChart($(id));
  }
}

function drawChart(place) {
  place.classList.remove('waiting');
  const chart = draw[place.id](place, printing ? PAPER : Math.max(240, place.clientWidth));
  if (!chart) {
    place.replaceChildren();
    navigable.delete(place);
    return;
  }
  show(place, chart);
}

// A chart that is taller than a page, cut between its rows into pictures that fit one.
function slices({ width, height, nodes, cut }) {
  const ends = [];
  const [top, step] = cut;
  let from = 0;
  while (height - from > SLICE) {
    const limit = from + (ends.length ? SLICE : FIRST_SLICE);
    ends.push([from, top + Math.floor((limit - top) / step) * step]);
    from = ends[ends.length - 1][1];
  }
  return [...ends, [from, height]].map(([y, end]) => svg('svg', { width, height: end - y, viewBox: `0 ${y} ${width} ${end - y}` }, ...nodes.map((node) => node.cloneNode(true))));
}

function show(place, chart) {
  const { width, height, nodes, under, choose, values } = chart;
  if (printing && chart.cut && height > SLICE) {
    place.replaceChildren(...slices(chart));
    place.dataset.drawn = 'yes';
    navigable.delete(place);
    return;
  }
  const drawing = svg('svg', { width, height, viewBox: `0 0 ${width} ${height}` }, ...nodes);
  drawing.setAttribute('aria-hidden', 'true');
  const tip = element('div', { className: 'tip', hidden: true });
  const ring = element('div', { className: 'ring', hidden: true });
  const write = (lines, x, y) => {
    tip.hidden = !lines.length;
    tip.replaceChildren(...lines.map((line) => element('span', { textContent: line })));
    const [sx, sy] = [x - place.scrollLeft, y];
    const right = sx > place.clientWidth / 2;
    Object.assign(tip.style, { top: `${sy + 14}px`, left: right ? 'auto' : `${x + 14}px`, right: right ? `${place.clientWidth - x + 14}px` : 'auto' });
  };
  const position = (event) => {
    const box = drawing.getBoundingClientRect();
    return [((event.clientX - box.left) * width) / box.width, ((event.clientY - box.top) * height) / box.height];
  };
  if (under) {
    drawing.addEventListener('pointermove', (event) => {
      ring.hidden = true;
      write(under(...position(event)) || [], ...position(event));
    });
    drawing.addEventListener('pointerleave', () => { tip.hidden = true; });
  }
  if (choose) drawing.addEventListener('click', (event) => choose(...position(event)));
  drawing.classList.toggle('pressable', Boolean(choose));
  place.replaceChildren(drawing, tip, ring);
  navigable.set(place, {
    values,
    point(row, c) {
      const { x, y, lines } = values.at(row, c);
      ring.hidden = false;
      Object.assign(ring.style, { left: `${x}px`, top: `${y}px` });
      write(lines, x, y);
      announcement.textContent = lines.join(', ');
      if (place.scrollHeight > place.clientHeight + 2) place.scrollTop = y - place.clientHeight / 2;
    },
    leave() {
      tip.hidden = ring.hidden = true;
    },
  });
  place.dataset.drawn = 'yes';
  if (document.activeElement === place && cursors.has(place)) moveTo(place, cursors.get(place));
}

// Keyboard navigation: a chart is one tab stop, arrow keys move between values, Enter chooses a topic.
function moveTo(place, [row, c]) {
  const { values, point } = navigable.get(place);
  const at = [Math.max(0, Math.min(row, values.rows - 1)), Math.max(0, Math.min(c, values.columns - 1))];
  cursors.set(place, at);
  point(...at);
}

function steps(event, place) {
  const { values } = navigable.get(place);
  const [row, c] = cursors.get(place) || values.first();
  const started = cursors.has(place);
  const by = (down, right) => (started ? [row + down, c + right] : [row, c]);
  const flat = values.rows === 1; // up and down move along the only row
  const to = {
    ArrowRight: () => by(0, values.columns > 1 ? 1 : 0), ArrowLeft: () => by(0, values.columns > 1 ? -1 : 0),
    ArrowDown: () => (flat ? by(0, 1) : by(1, 0)), ArrowUp: () => (flat ? by(0, -1) : by(-1, 0)),
    PageDown: () => by(10, 0), PageUp: () => by(-10, 0),
    Home: () => (values.columns > 1 ? [row, 0] : [0, 0]), End: () => (values.columns > 1 ? [row, values.columns - 1] : [values.rows - 1, 0]),
  }[event.key];
  return to && to();
}

function byKeyboard(place) {
  place.tabIndex = 0;
  place.setAttribute('role', 'application');
  place.setAttribute('aria-roledescription', 'chart');
  place.setAttribute('aria-describedby', 'chart-keys');
  place.addEventListener('keydown', (event) => {
    const shown = navigable.get(place);
    if (!shown || !shown.values || !shown.values.rows || !shown.values.columns || event.ctrlKey || event.metaKey || event.altKey) return;
    const { values, leave } = shown;
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

// A legend of a colour scale: a bar with values below it.
function scaleLegend(place, colours, texts, title) {
  const bar = element('span', { className: 'ramp' });
  bar.style.background = `linear-gradient(to right, ${colours.join(', ')})`;
  place.replaceChildren(element('span', { textContent: title }), element('span', { className: 'scale' }, bar,
    element('span', { className: 'ends' }, ...texts.map((text) => element('span', { textContent: text })))));
}
