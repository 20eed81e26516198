// Charts by plotly, unpacked once the rest of the page stands. Plotly reads labels as a little HTML, hence `plain`.
const plain = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const draw = {}; // by the id of its place: how to draw each chart
const stale = new Set(); // charts in need of drawing
const visible = new Set();
let ready = false;

function layout(more = {}) {
  const axis = {
    gridcolor: colour('faint'), zerolinecolor: colour('line'), linecolor: colour('line'), tickcolor: colour('line'),
    automargin: true, fixedrange: true, title: { standoff: 8 },
  };
  const { xaxis = {}, yaxis = {}, ...rest } = more;
  return {
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', margin: { l: 8, r: 8, t: 8, b: 8 }, showlegend: false,
    font: { family: colour('sans'), size: 12, color: colour('soft') }, dragmode: false, hovermode: 'closest',
    hoverlabel: { bgcolor: colour('card'), bordercolor: colour('line'), font: { color: colour('ink'), family: colour('sans') }, align: 'left' },
    xaxis: { ...axis, ...xaxis }, yaxis: { ...axis, ...yaxis }, ...rest,
  };
}

const settings = { displayModeBar: false, responsive: true, doubleClick: 'reset', showTips: false };

function redraw(...ids) {
  for (const id of ids) if ($(id)) stale.add(id);
  if (!ready) return;
  for (const id of [...stale]) {
    if (!visible.has(id)) continue;
    stale.delete(id);
    const place = $(id);
    place.classList.remove('waiting');
    draw[id](place);
  }
}

function onPoint(place, choose) {
  if (place.dataset.listens) return;
  place.dataset.listens = 'yes';
  place.on('plotly_click', (event) => choose(event.points[0]));
}

draw.map = (place) => {
  const [x, y] = data.map;
  const most = Math.max(...data.topics.map((topic) => topic.share));
  const widest = Math.max(24, Math.min(64, place.clientWidth / 9)) * Math.max(0.45, Math.min(1, 6 / Math.sqrt(data.topics.length)));
  const sizes = data.topics.map((topic) => Math.max(6, widest * Math.sqrt(topic.share / most)));
  const selected = (k) => k === chosen.topic;
  const back = data.topics.map((_, k) => k).sort((a, b) => selected(a) - selected(b) || sizes[b] - sizes[a]);
  const few = data.topics.length <= 60;
  const trace = {
    x: back.map((k) => x[k]), y: back.map((k) => y[k]), customdata: back, type: 'scatter', mode: few ? 'markers+text' : 'markers',
    text: back.map((k) => (sizes[k] >= 16 || selected(k) ? String(k) : '')), textfont: { size: 11, color: back.map((k) => colour(selected(k) ? 'on-accent' : 'ink')) },
    hovertext: back.map((k) => `<b>${k}</b> ${plain(data.topics[k].label)}<br>${percent(data.topics[k].share, 2)} of all tokens`),
    hoverinfo: 'text', cliponaxis: false,
    marker: {
      size: back.map((k) => sizes[k]), opacity: 1,
      color: back.map((k) => (selected(k) ? colour('accent') : colour('accent-soft'))),
      line: { color: back.map((k) => colour(selected(k) ? 'ink' : 'accent')), width: 1 },
    },
  };
  const range = (values) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const room = 0.12 * (high - low) || 1;
    return [low - room, high + room];
  };
  const bare = { showticklabels: false, showgrid: false, zeroline: true, ticks: '' };
  Plotly.react(place, [trace], layout({ xaxis: { ...bare, range: range(x) }, yaxis: { ...bare, range: range(y) } }), settings);
  onPoint(place, (point) => chooseTopic(point.customdata));
};

function column() {
  return data.columns[Number($('column').value)];
}

const shares = { tickformat: '.1~%', rangemode: 'tozero' };

draw.trend = (place) => {
  const { kind, bins, documents, share } = column();
  const mine = share[chosen.topic];
  const mean = data.topics[chosen.topic].share;
  const hover = bins.map((bin, b) => `<b>${plain(bin)}</b><br>${percent(mine[b], 2)} of its tokens<br>${documents[b].toLocaleString('en')} documents`);
  const common = { hovertext: hover, hoverinfo: 'text' };
  const across = { type: 'line', xref: 'paper', x0: 0, x1: 1, y0: mean, y1: mean, line: { color: colour('soft'), width: 1, dash: 'dot' } };
  if (kind === 'class') {
    const rows = bins.map((_, b) => b).sort((a, b) => mine[a] - mine[b]);
    const trace = {
      type: 'bar', orientation: 'h', x: rows.map((b) => mine[b]), y: rows.map((b) => b), hovertext: rows.map((b) => hover[b]), hoverinfo: 'text',
      marker: { color: colour('accent') }, cliponaxis: false,
    };
    const yaxis = { type: 'category', tickvals: rows, ticktext: rows.map((b) => plain(short(bins[b], 26))), showgrid: false };
    const line = { ...across, xref: 'x', yref: 'paper', x0: mean, x1: mean, y0: 0, y1: 1 };
    const height = Math.max(220, 24 * rows.length + 48);
    Plotly.react(place, [trace], layout({ xaxis: shares, yaxis, height, bargap: 0.3, shapes: [line] }), settings);
    return;
  }
  const height = 320;
  if (kind === 'date') {
    const there = mine.map((value, b) => (documents[b] ? value : null));
    const trace = {
      ...common, type: 'scatter', mode: 'lines+markers', x: bins, y: there, connectgaps: false, fill: 'tozeroy',
      fillcolor: `${colour('accent')}22`, line: { color: colour('accent'), width: 2 }, marker: { size: 5 },
    };
    Plotly.react(place, [trace], layout({ xaxis: { type: 'date', showgrid: false }, yaxis: shares, height, shapes: [across] }), settings);
    return;
  }
  const trace = { ...common, type: 'bar', x: bins.map((_, b) => b), y: mine, marker: { color: colour('accent') } };
  const xaxis = { type: 'category', tickvals: bins.map((_, b) => b), ticktext: bins.map(plain), showgrid: false };
  Plotly.react(place, [trace], layout({ xaxis, yaxis: shares, height, bargap: 0.25, shapes: [across] }), settings);
};

draw.heat = (place) => {
  const { kind, bins, documents, share } = column();
  const rows = data.topics.map((_, k) => k).sort(orders.share).reverse();
  const cells = rows.map((k) => {
    const most = Math.max(...share[k]) || 1;
    return share[k].map((value, b) => (documents[b] ? value / most : null));
  });
  const few = rows.length <= 40;
  const hover = rows.map((k) => bins.map((bin, b) => `<b>${plain(nameOf(k))}</b><br>${plain(bin)}: ${percent(share[k][b], 2)}`));
  const chosenRow = rows.indexOf(chosen.topic);
  const trace = {
    type: 'heatmap', z: cells, x: kind === 'date' ? bins : bins.map((_, b) => b), y: rows.map((_, i) => i), customdata: hover, hovertext: hover, hoverinfo: 'text',
    colorscale: [[0, colour('faint')], [1, colour('accent')]], zmin: 0, zmax: 1, showscale: false, xgap: bins.length < 45 ? 1 : 0, ygap: few ? 1 : 0,
  };
  const ticks = few ? { tickvals: rows.map((_, i) => i), ticktext: rows.map((k) => plain(short(nameOf(k), place.clientWidth < 480 ? 14 : 26))) } : { showticklabels: false, ticks: '' };
  const xaxis = kind === 'date' ? { type: 'date', showgrid: false } : { type: 'category', tickvals: bins.map((_, b) => b), ticktext: bins.map((bin) => plain(short(bin, 18))), showgrid: false };
  const frame = { type: 'rect', xref: 'paper', x0: 0, x1: 1, y0: chosenRow - 0.5, y1: chosenRow + 0.5, line: { color: colour('ink'), width: 1.5 } };
  const height = few ? Math.max(220, 22 * rows.length + 70) : Math.min(900, 90 + 4 * rows.length);
  Plotly.react(place, [trace], layout({ xaxis, yaxis: { ...ticks, showgrid: false, zeroline: false }, height, shapes: [frame] }), settings);
  onPoint(place, (point) => chooseTopic(data.topics.map((_, k) => k).sort(orders.share).reverse()[Math.round(point.y)]));
};

draw.trace = (place) => {
  const { iteration, phase, elbo, perplexity } = data.trace;
  const phases = [...new Set(phase)];
  const names = { warmup: 'warm-up', monotone: 'monotone', online: 'online', final: 'final' };
  const traces = phases.map((name, n) => {
    const rows = iteration.map((_, i) => i).filter((i) => phase[i] === name);
    const tone = colour(n === phases.length - 1 ? 'accent' : 'soft');
    return {
      type: 'scatter', mode: 'lines+markers', name: names[name] || name, x: rows.map((i) => iteration[i]), y: rows.map((i) => elbo[i]),
      hovertext: rows.map((i) => `pass ${iteration[i]}, ${names[name] || name}<br>${elbo[i].toLocaleString('en', { maximumFractionDigits: 1 })} nats<br>perplexity ${perplexity[i].toFixed(1)}`),
      hoverinfo: 'text', line: { color: tone, width: 2, dash: n === phases.length - 1 ? 'solid' : 'dot' }, marker: { size: 5, color: tone },
    };
  });
  const legend = { showlegend: phases.length > 1, legend: { x: 1, xanchor: 'right', y: 0.05, yanchor: 'bottom', bgcolor: 'rgba(0,0,0,0)' } };
  Plotly.react(place, traces, layout({ xaxis: { title: { text: 'pass' }, showgrid: false }, yaxis: { exponentformat: 'SI', nticks: 6 }, height: 320, ...legend }), settings);
};

function describeTrend() {
  const { name, kind, missing, bins } = column();
  $('trend-title').textContent = `Topic ${nameOf(chosen.topic)}, over ${name}`;
  const lost = missing ? ` ${missing.toLocaleString('en')} documents without a value are left out.` : '';
  $('trend-hint').textContent = bins.length
    ? `Share of the tokens in each ${kind === 'date' ? 'period' : kind === 'number' ? 'range' : 'class'}; dotted: in all documents.${lost}`
    : 'No document has a value.';
}

async function unpackCharts() {
  const packed = $('charts').textContent;
  if (typeof DecompressionStream === 'undefined') throw new Error('this browser cannot unpack them');
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const text = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
  document.head.append(element('script', { textContent: text }));
  if (typeof Plotly === 'undefined') throw new Error('the browser refused them');
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) visible.add(entry.target.id);
  redraw();
}, { rootMargin: '200px' });

for (const id of Object.keys(draw)) {
  if (!$(id)) continue;
  $(id).classList.add('waiting');
  stale.add(id);
  watcher.observe($(id));
}
if (data.columns.length) {
  $('column').append(...data.columns.map((entry, i) => element('option', { value: i, textContent: entry.name })));
  $('column').addEventListener('change', () => {
    describeTrend();
    redraw('trend', 'heat');
  });
  whenTopicChanges(describeTrend);
}
whenTopicChanges(() => redraw('map', 'trend', 'heat'));
addEventListener('beforeprint', () => {
  for (const id of stale) visible.add(id);
  redraw();
});

// Light or dark: what the system says, until the reader says otherwise.
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
