// Documents: a list, and the chosen document. Words are coloured by their most probable topic in the documents that were
// chosen for that; others are shown with their words and, as far as it is in the page, their text.
const documents = data.documents;
const documentList = $('document-list');
const COLOURS = 8;
const LISTED = 300;
const shownByRow = new Map(documents.map((entry) => [entry.row, entry]));
let chosenDocument = -1; // its row
let found = { sought: '', hits: [] }; // archived documents of the last search

function plainText(entry) {
  if (entry.bag) return entry.bag.map(([word]) => word).join(' ');
  return entry.text.filter((_, i) => i % 4 < 2).join('');
}

function beginning(entry) {
  if (entry.words) return (entry.plain || entry.words.slice(0, 12).map(([word]) => word).join(' ')).slice(0, 160).trim();
  const parts = entry.bag ? entry.bag.slice(0, 12).map(([word]) => `${word} `) : entry.text.slice(0, 80).filter((_, i) => i % 4 < 2);
  return parts.join('').slice(0, 160).trim();
}

function entryOf(row) {
  if (shownByRow.has(row)) return shownByRow.get(row);
  const d = archive ? archive.place.get(row) : undefined;
  return d === undefined ? null : archivedEntry(d);
}

function optionOf(entry, share) {
  const option = element(
    'li', { id: `document-option-${entry.row}` },
    element('span', { className: 'label', textContent: entry.name, title: entry.name }),
    element('span', { className: 'value', textContent: share === undefined ? '' : percent(share, 0) }),
    element('span', { className: 'snippet', textContent: beginning(entry) }),
  );
  option.setAttribute('role', 'option');
  option.setAttribute('aria-selected', String(entry.row === chosenDocument));
  option.dataset.document = entry.row;
  return option;
}

// The rows of the list, with the share of the chosen topic where the list is about it, and what the list contains.
function listedDocuments() {
  const shareOfTopic = (entry) => (entry.topics.find(([k]) => k === chosen.topic) || [])[1];
  const n = whole(data.facts.documents);
  if ($('document-filter').value === 'found') {
    const entries = found.hits.slice(0, LISTED).map((d) => entryOf(archive.rows[d]));
    const limit = found.hits.length > LISTED ? `; the first ${LISTED} are listed` : '';
    return [entries.map((entry) => [entry]), `${whole(found.hits.length)} documents that match “${found.sought}”${limit}`];
  }
  if ($('document-filter').value === 'all') {
    return [documents.map((entry) => [entry]), `${documents.length} of ${n} documents, the most representative of the topics`];
  }
  const rows = documents.map((entry) => [entry, shareOfTopic(entry)]).filter(([, share]) => share !== undefined).sort((a, b) => b[1] - a[1]);
  if (!archive) return [rows, `${rows.length} of the ${documents.length} documents with coloured words contain topic ${chosen.topic}`];
  const others = range(archive.rows.length).map((d) => [d, topicShare(d, chosen.topic)]).filter(([d, share]) => share && !shownByRow.has(archive.rows[d]));
  const total = rows.length + others.length;
  others.sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const more = others.slice(0, Math.max(0, LISTED - rows.length)).map(([d, share]) => [archivedEntry(d), share]);
  const limit = total > LISTED ? `; ${LISTED} are listed` : '';
  return [[...rows, ...more], `${whole(total)} documents contain at least 2 % of topic ${chosen.topic}, those with coloured words first${limit}`];
}

function listDocuments() {
  if (!documents.length) return;
  const [rows, text] = listedDocuments();
  documentList.replaceChildren(...rows.map(([entry, share]) => optionOf(entry, share)));
  $('document-count').textContent = text;
  if (!rows.some(([entry]) => entry.row === chosenDocument)) showDocument(rows.length ? rows[0][0].row : -1);
  else markSelected(documentList, $(`document-option-${chosenDocument}`));
}

function colourOf(entry, topic) {
  const rank = entry.topics.findIndex(([k]) => k === topic);
  return `var(--c${rank < 0 ? COLOURS - 1 : Math.min(rank, COLOURS - 1)})`;
}

function marked(entry, word, topic, tenths, text = word) {
  const mark = element('mark', { textContent: text, title: `${nameOf(topic)}: ${tenths * 10} %` });
  mark.style.setProperty('--c', colourOf(entry, topic));
  mark.style.setProperty('--s', tenths);
  mark.dataset.topic = topic;
  return mark;
}

function plainNodes(entry) {
  const words = entry.words.map(([word, count]) => (count === 1 ? word : `${word} ×${count}`)).join(', ');
  const { characters } = data.archive;
  const cutOff = characters && entry.plain.length >= characters;
  const nodes = entry.plain ? [element('span', { textContent: entry.plain + (cutOff ? ' …' : '') })] : [];
  nodes.push(element('span', { className: 'counted', textContent: `Counted words: ${words || 'none'}` }));
  return nodes;
}

function textOf(entry) {
  if (entry.words) return plainNodes(entry);
  if (entry.bag) {
    const byTopic = [...entry.bag].sort((a, b) => a[1] - b[1] || b[3] - a[3]);
    return byTopic.map(([word, topic, tenths, count]) => marked(entry, word, topic, tenths, count === 1 ? word : `${word} ×${count}`));
  }
  const nodes = [entry.text[0]];
  for (let i = 1; i < entry.text.length; i += 4) {
    const [word, topic, tenths, after] = entry.text.slice(i, i + 4);
    nodes.push(marked(entry, word, topic, tenths), after);
  }
  return nodes;
}

function legendOf(entry) {
  return entry.topics.map(([topic, share]) => {
    const swatch = element('i');
    const button = element('button', { type: 'button' }, swatch, element('span', { className: 'label', textContent: nameOf(topic) }), element('small', { textContent: percent(share, 0) }));
    button.style.setProperty('--c', colourOf(entry, topic));
    button.setAttribute('aria-pressed', 'false');
    button.dataset.topic = topic;
    return button;
  });
}

function showDocument(row) {
  chosenDocument = row;
  markSelected(documentList, row < 0 ? null : $(`document-option-${row}`));
  const text = $('document-text');
  text.classList.remove('single');
  redraw('document-map');
  const entry = row < 0 ? null : entryOf(row);
  if (!entry) {
    $('document-title').textContent = 'No document contains this topic';
    for (const id of ['document-facts', 'legend', 'document-text']) $(id).replaceChildren();
    return;
  }
  const metadata = data.columns.map((binned, c) => `${binned.name}: ${entry.metadata[c]}`);
  $('document-title').textContent = entry.name;
  $('document-facts').textContent = [`row ${entry.row}`, `${whole(entry.tokens)} tokens`, ...metadata].join(' · ');
  $('legend').replaceChildren(...legendOf(entry));
  text.classList.toggle('bag', Boolean(entry.bag));
  text.replaceChildren(...textOf(entry));
  text.scrollTop = 0;
}

// Open a document from the search or the map, in the list if it is there.
function openDocument(row) {
  if (!$(`document-option-${row}`)) {
    $('document-filter').value = shownByRow.has(row) ? 'all' : 'found';
    if (!shownByRow.has(row)) setFound(`row ${row}`, [archive.place.get(row)]);
    chosenDocument = row;
    listDocuments();
  }
  showDocument(row);
}

function setFound(sought, hits) {
  found = { sought, hits };
  const option = $('document-filter').querySelector('[value=found]');
  option.hidden = option.disabled = false;
}

function emphasise(button) {
  const on = button.getAttribute('aria-pressed') !== 'true';
  for (const other of $('legend').children) other.setAttribute('aria-pressed', String(on && other === button));
  $('document-text').classList.toggle('single', on);
  for (const mark of $('document-text').querySelectorAll('mark')) mark.classList.toggle('chosen', mark.dataset.topic === button.dataset.topic);
}

if (documents.length) {
  listBox(documentList, (option) => showDocument(Number(option.dataset.document)));
  $('document-filter').addEventListener('change', listDocuments);
  $('legend').addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button) emphasise(button);
  });
  whenTopicChanges(listDocuments);
}
