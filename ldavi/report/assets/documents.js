// Documents: a list, and the chosen document with its words coloured by their most probable topic.
const documents = data.documents;
const documentList = $('document-list');
const COLOURS = 8;
let chosenDocument = -1;

function plainText(entry) {
  if (entry.bag) return entry.bag.map(([word]) => word).join(' ');
  return entry.text.filter((_, i) => i % 4 < 2).join('');
}

function beginning(entry) {
  const parts = entry.bag ? entry.bag.slice(0, 12).map(([word]) => `${word} `) : entry.text.slice(0, 80).filter((_, i) => i % 4 < 2);
  return parts.join('').slice(0, 160).trim();
}

function optionOf(entry, i, share) {
  const option = element(
    'li', { id: `document-option-${i}` },
    element('span', { className: 'label', textContent: entry.name, title: entry.name }),
    element('span', { className: 'value', textContent: share === undefined ? '' : percent(share, 0) }),
    element('span', { className: 'snippet', textContent: beginning(entry) }),
  );
  option.setAttribute('role', 'option');
  option.setAttribute('aria-selected', String(i === chosenDocument));
  option.dataset.document = i;
  return option;
}

function listDocuments() {
  if (!documents.length) return;
  const only = $('document-filter').value === 'topic';
  const shareOf = (entry) => (entry.topics.find(([k]) => k === chosen.topic) || [])[1];
  let rows = documents.map((entry, i) => [entry, i, shareOf(entry)]);
  if (only) rows = rows.filter(([, , share]) => share !== undefined).sort((a, b) => b[2] - a[2]);
  documentList.replaceChildren(...rows.map(([entry, i, share]) => optionOf(entry, i, only ? share : undefined)));
  $('document-count').textContent = only
    ? `${rows.length} of the ${documents.length} documents here contain topic ${chosen.topic}`
    : `${documents.length} of ${data.facts.documents.toLocaleString('en')} documents, the most representative of the topics`;
  if (!rows.some(([, i]) => i === chosenDocument)) showDocument(rows.length ? rows[0][1] : -1);
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

function textOf(entry) {
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

function showDocument(i) {
  chosenDocument = i;
  markSelected(documentList, i < 0 ? null : $(`document-option-${i}`));
  const text = $('document-text');
  text.classList.remove('single');
  if (i < 0) {
    $('document-title').textContent = 'No document here contains this topic';
    for (const id of ['document-facts', 'legend', 'document-text']) $(id).replaceChildren();
    return;
  }
  const entry = documents[i];
  const metadata = data.columns.map((binned, c) => `${binned.name}: ${entry.metadata[c]}`);
  $('document-title').textContent = entry.name;
  $('document-facts').textContent = [`row ${entry.row}`, `${entry.tokens.toLocaleString('en')} tokens`, ...metadata].join(' · ');
  $('legend').replaceChildren(...legendOf(entry));
  text.classList.toggle('bag', Boolean(entry.bag));
  text.replaceChildren(...textOf(entry));
  text.scrollTop = 0;
}

function emphasise(button) {
  const on = button.getAttribute('aria-pressed') !== 'true';
  for (const other of $('legend').children) other.setAttribute('aria-pressed', String(on && other === button));
  $('document-text').classList.toggle('single', on);
  for (const mark of $('document-text').children) mark.classList.toggle('chosen', mark.dataset.topic === button.dataset.topic);
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
