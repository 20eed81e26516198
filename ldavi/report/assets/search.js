// Search: words and the topics that use them, topics by number or label, documents by name or text.
const searchBox = $('search');
const results = $('results');
let texts = null; // lower-cased once, at the first search

function topicsOfWord(w) {
  const uses = [];
  data.topics.forEach((topic, k) => {
    const at = topic.words.indexOf(w);
    if (at >= 0) uses.push([k, Math.min(1, (topic.p[at] * topic.share) / data.word_share[w])]);
  });
  return uses.sort((a, b) => b[1] - a[1]).slice(0, 6);
}

function result(text, note, act, snippet) {
  const button = element('button', { type: 'button' }, element('span', { className: 'label', textContent: text }), element('small', { textContent: note }));
  if (snippet) button.append(element('small', { className: 'snippet', textContent: snippet }));
  button.addEventListener('click', () => {
    closeResults();
    act();
  });
  return button;
}

function showTopic(topic) {
  chooseTopic(topic);
  goTo('topics');
}

function openDocument(i) {
  $('document-filter').value = 'all';
  listDocuments();
  showDocument(i);
  goTo('documents');
}

function findWords(sought) {
  const starts = data.words.map((_, w) => w).filter((w) => data.words[w].toLowerCase().startsWith(sought));
  const exact = (w) => data.words[w].toLowerCase() === sought;
  starts.sort((a, b) => exact(b) - exact(a) || data.word_share[b] - data.word_share[a]);
  return starts.slice(0, 3).flatMap((w) => [
    element('h3', { textContent: `“${data.words[w]}” belongs to` }),
    ...topicsOfWord(w).map(([k, own]) => result(nameOf(k), `${percent(own, 0)} of its uses`, () => showTopic(k))),
  ]);
}

function findTopics(sought) {
  const hits = order.filter((k) => String(k) === sought || data.topics[k].label.toLowerCase().includes(sought)).slice(0, 8);
  if (!hits.length) return [];
  return [element('h3', { textContent: 'Topics' }), ...hits.map((k) => result(nameOf(k), percent(data.topics[k].share), () => showTopic(k)))];
}

function findDocuments(sought) {
  texts ||= documents.map((entry) => [entry.name.toLowerCase(), plainText(entry)]);
  const hits = [];
  for (let i = 0; i < texts.length && hits.length < 12; i += 1) {
    const [name, text] = texts[i];
    const at = text.toLowerCase().indexOf(sought);
    if (at < 0 && !name.includes(sought)) continue;
    const from = Math.max(0, at - 40);
    const snippet = at < 0 ? '' : `${from ? '…' : ''}${text.slice(from, at + sought.length + 60).replace(/\s+/g, ' ')}…`;
    hits.push(result(documents[i].name, '', () => openDocument(i), snippet));
  }
  return hits.length ? [element('h3', { textContent: 'Documents on this page' }), ...hits] : [];
}

function showResults() {
  const sought = searchBox.value.trim().toLowerCase();
  if (!sought) {
    closeResults();
    return;
  }
  const found = [...findWords(sought), ...findTopics(sought), ...(sought.length > 1 ? findDocuments(sought) : [])];
  results.replaceChildren(...(found.length ? found : [element('p', { textContent: 'Nothing found. Only words that are listed under some topic can be found.' })]));
  results.hidden = false;
}

function closeResults() {
  results.hidden = true;
}

function searchFor(word) {
  searchBox.value = word;
  showResults();
  searchBox.focus({ preventScroll: true });
}

searchBox.addEventListener('input', showResults);
searchBox.addEventListener('focus', showResults);
searchBox.parentElement.addEventListener('keydown', (event) => {
  const buttons = [...results.querySelectorAll('button')];
  const at = buttons.indexOf(document.activeElement);
  if (event.key === 'Escape') {
    searchBox.value = '';
    closeResults();
    searchBox.focus();
  } else if (event.key === 'ArrowDown' && buttons.length) {
    buttons[Math.min(at + 1, buttons.length - 1)].focus();
  } else if (event.key === 'ArrowUp' && at >= 0) {
    (at ? buttons[at - 1] : searchBox).focus();
  } else if (event.key === 'Enter' && at < 0 && buttons.length) {
    buttons[0].click();
  } else {
    return;
  }
  event.preventDefault();
});
addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || /^(input|select|textarea)$/i.test(event.target.tagName)) return;
  event.preventDefault();
  searchBox.focus();
});
addEventListener('pointerdown', (event) => {
  if (!searchBox.parentElement.contains(event.target) && !event.target.closest('#words')) closeResults();
});
