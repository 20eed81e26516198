// The table of diagnostics: column heads sort it, and a label chooses its topic. This last script initialises the page.
const table = $('diagnostics-table');
const heads = [...table.tHead.rows[0].cells];

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
  const label = row.querySelector('th');
  const button = element('button', { type: 'button', textContent: label.textContent });
  button.addEventListener('click', () => showTopic(Number(row.dataset.topic)));
  label.replaceChildren(button);
}
whenTopicChanges((topic) => {
  for (const row of table.tBodies[0].rows) row.toggleAttribute('aria-current', Number(row.dataset.topic) === topic);
});

const asked = /^#topic-(\d+)$/.exec(location.hash);
chooseTopic(asked && Number(asked[1]) in data.topics ? Number(asked[1]) : order[0]);
themeChanged();

// After two frames the page has been painted; the charts, which take longest, are loaded then.
requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
  try {
    loadCharts();
    ready = true;
    redraw();
  } catch (error) {
    for (const place of document.querySelectorAll('.chart')) {
      place.classList.remove('waiting');
      place.replaceChildren(element('p', { className: 'hint', textContent: `No charts: ${error.message}.` }));
    }
  }
  root.dataset.ready = 'yes';
})));
