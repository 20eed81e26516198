// The table of all topics, the colour scheme, printing, and the start of the page.
const table = $('topics-table');
const heads = [...table.tHead.rows[0].cells];
const CHARTS = Object.keys(draw);
const OF_TOPICS = CHARTS.filter((id) => !['trend', 'trace'].includes(id));

function sortTable(c) {
  const head = heads[c];
  const number = head.dataset.kind === 'number';
  const before = head.getAttribute('aria-sort');
  const down = before ? before === 'ascending' : number;
  const key = (row) => {
    const cell = row.cells[c];
    if (!number) return cell.textContent;
    return cell.dataset.value === undefined ? NaN : Number(cell.dataset.value);
  };
  const compare = (a, b) => {
    const [x, y] = [key(a), key(b)];
    if (!number) return down ? y.localeCompare(x) : x.localeCompare(y);
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return down ? y - x : x - y;
  };
  for (const other of heads) other.removeAttribute('aria-sort');
  head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
}

heads.forEach((head, c) => {
  const button = element('button', { type: 'button', textContent: head.textContent });
  button.addEventListener('click', () => sortTable(c));
  head.replaceChildren(button);
});
for (const row of table.tBodies[0].rows) {
  const name = row.querySelector('th');
  const button = element('button', { type: 'button', textContent: name.textContent });
  button.addEventListener('click', () => showTopic(Number(row.dataset.topic)));
  name.replaceChildren(button);
}
whenTopicChanges((topic) => {
  for (const row of table.tBodies[0].rows) row.toggleAttribute('aria-current', Number(row.dataset.topic) === topic);
  redraw(...OF_TOPICS);
});
whenNamesChange((topic) => {
  table.querySelector(`[data-topic="${topic}"] th button`).textContent = data.topics[topic].label;
  if (data.columns.length) {
    fillKeep();
    describeTrend();
  }
  redraw(...CHARTS);
});

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) visible.add(entry.target.id);
  redraw();
}, { rootMargin: '300px' });
const widths = new Map();
const resizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const known = widths.get(target);
    widths.set(target, target.clientWidth);
    if (known !== undefined && target.clientWidth && Math.abs(known - target.clientWidth) > 4 && !printing) redraw(target.id);
  }
});

function drawAll() {
  for (const id of CHARTS) visible.add(id);
  redraw();
}

// Colour scheme: that of the system, until the reader presses the button. Paper is always light.
const root = document.documentElement;
const systemDark = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : systemDark.matches);
const PAINTED = CHARTS.filter((id) => ['heat', 'document-map'].includes(id)); // whose colours are in an image

function themeChanged() {
  $('theme').textContent = isDark() ? 'Light' : 'Dark';
  $('theme').setAttribute('aria-label', isDark() ? 'Use light colours' : 'Use dark colours');
  redraw(...PAINTED);
}

let before = '';
addEventListener('beforeprint', () => {
  printing = true;
  before = root.dataset.theme || '';
  root.dataset.theme = 'light';
  for (const id of CHARTS) visible.add(id);
  redraw(...CHARTS);
});
addEventListener('afterprint', () => {
  printing = false;
  if (before) root.dataset.theme = before;
  else delete root.dataset.theme;
  redraw(...CHARTS);
});
$('theme').addEventListener('click', () => {
  root.dataset.theme = isDark() ? 'light' : 'dark';
  themeChanged();
});
systemDark.addEventListener('change', themeChanged);
$('print').addEventListener('click', () => print());

for (const id of CHARTS) {
  const place = $(id);
  place.classList.add('waiting');
  outdated.add(id);
  byKeyboard(place);
  watcher.observe(place);
  resizes.observe(place);
}
const asked = /^#topic-(\d+)$/.exec(location.hash);
chooseTopic(asked && Number(asked[1]) in data.topics ? Number(asked[1]) : order[0]);
themeChanged();

// After the page has been painted: the charts in view, then the archive, then all other charts, so that printing is complete.
requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
  ready = true;
  redraw();
  root.dataset.ready = 'yes';
  setTimeout(async () => {
    await loadArchive();
    if ($('document-map')) {
      $('document-map').hidden = !archive;
      if (!archive) $('document-map-hint').textContent = archiveProblem;
      outdated.add('document-map');
    }
    if (archive) listDocuments();
    drawAll();
    root.dataset.complete = 'yes';
  }, 50);
})));
