// Search: words and the topics that they belong to, topics by number or name, and documents: by their counted words,
// their names, and the part of their texts that the page contains.
const searchBox = $('search');
const results = $('results');
const HITS = 10;
let lowerTexts = null; // of the archived documents, at the first search
let shownTexts = null;

function searchedText() {
  const { archive: kept, facts } = data;
  const own = whole(documents.length);
  if (!kept) return documents.length ? `Searched: words listed under topics, names of topics, and the ${own} documents with coloured words.` : 'Searched: words listed under topics, and names of topics.';
  const all = kept.documents === facts.documents ? `all ${whole(kept.documents)} documents` : `${whole(kept.documents)} of ${whole(facts.documents)} documents, evenly spaced`;
  const texts = kept.characters === null ? 'texts' : kept.characters ? `the first ${whole(kept.characters)} characters of their texts` : '';
  const missing = kept.characters === null ? '' : ' Words beyond are found if they are among the counted words.';
  return `Searched: ${whole(kept.words)} words, names of topics, and ${all}: names, counted words${texts ? ` and ${texts}` : ''}.${texts ? missing : ''}`;
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

// Words that begin with the text: the word itself first, then the most frequent ones.
function matchingWords(sought) {
  if (archive) {
    const frequency = new Map();
    const starting = range(archive.lower.length).filter((w) => archive.lower[w].startsWith(sought));
    const wanted = new Set(starting);
    archive.words.forEach((w) => { if (wanted.has(w)) frequency.set(w, (frequency.get(w) || 0) + 1); });
    return starting.sort((a, b) => (archive.lower[b] === sought) - (archive.lower[a] === sought) || frequency.get(b) - frequency.get(a))
      .map((w) => [archive.vocabulary[w], range(archive.wordTopicAt[w + 1] - archive.wordTopicAt[w])
        .map((i) => [archive.wordTopics[archive.wordTopicAt[w] + i], archive.wordShares[archive.wordTopicAt[w] + i] / 200])]);
  }
  const lower = data.words.map((word) => word.toLowerCase());
  const starting = lower.map((_, w) => w).filter((w) => lower[w].startsWith(sought));
  starting.sort((a, b) => (lower[b] === sought) - (lower[a] === sought) || data.word_share[b] - data.word_share[a]);
  return starting.map((w) => [data.words[w], topicsOfWord(w)]);
}

function topicsOfWord(w) {
  const uses = [];
  data.topics.forEach((topic, k) => {
    const at = topic.words.indexOf(w);
    if (at >= 0) uses.push([k, Math.min(1, (topic.p[at] * topic.share) / data.word_share[w])]);
  });
  return uses.sort((a, b) => b[1] - a[1]).slice(0, 6);
}

function findWords(sought) {
  return matchingWords(sought).slice(0, 3).flatMap(([word, topics]) => [
    element('h3', { textContent: `“${word}” belongs to` }),
    ...topics.map(([k, own]) => result(nameOf(k), `${percent(own, 0)} of its uses`, () => showTopic(k))),
  ]);
}

function findTopics(sought) {
  const hits = order.filter((k) => String(k) === sought || data.topics[k].label.toLowerCase().includes(sought)).slice(0, 8);
  if (!hits.length) return [];
  return [element('h3', { textContent: 'Topics' }), ...hits.map((k) => result(nameOf(k), percent(data.topics[k].share), () => showTopic(k)))];
}

const isLetter = (character) => /[\p{L}\p{N}_]/u.test(character);

// 3 for the whole word, 2 for the beginning of a word, 1 for any other place, 0 if the text does not contain it.
function quality(text, sought) {
  let best = 0;
  for (let at = text.indexOf(sought); at >= 0 && best < 3; at = text.indexOf(sought, at + 1)) {
    const before = at > 0 && isLetter(text[at - 1]);
    const after = at + sought.length < text.length && isLetter(text[at + sought.length]);
    best = Math.max(best, before ? 1 : after ? 2 : 3);
  }
  return best;
}

// For each archived document, how often it contains each counted word that the terms stand for; 0 if it lacks one of them.
function countedScores(terms) {
  const score = new Float32Array(archive.rows.length).fill(terms.length ? 1 : 0);
  for (const term of terms) {
    const exact = archive.lower.indexOf(term);
    if (exact < 0) return new Float32Array(archive.rows.length);
    for (let d = 0; d < archive.rows.length; d += 1) {
      if (!score[d]) continue;
      let count = 0;
      for (let i = archive.at[d]; i < archive.at[d + 1]; i += 1) if (archive.words[i] === exact) count = archive.counts[i];
      score[d] *= count / Math.sqrt(archive.tokens[d] || 1);
    }
  }
  return score;
}

// Archived documents, best first: whole words in names and texts and counted words, then beginnings of words, then the rest.
function archivedHits(sought) {
  lowerTexts ||= archive.texts && archive.texts.map((text) => text.toLowerCase());
  const counted = countedScores(archive.lower.includes(sought) ? [sought] : sought.split(/\s+/)); // a phrase may be counted as a word
  const hits = [];
  for (let d = 0; d < archive.rows.length; d += 1) {
    const inName = archive.names ? quality(archive.names[d].toLowerCase(), sought) : quality(`document ${archive.rows[d]}`, sought);
    const inText = lowerTexts && lowerTexts[d].includes(sought) ? quality(lowerTexts[d], sought) : 0;
    const whole_ = inText === 3 || counted[d] > 0 ? 3 : inText;
    if (whole_ || inName) hits.push([d, Math.max(whole_, inName), counted[d]]);
  }
  return hits.sort((a, b) => b[1] - a[1] || b[2] - a[2] || a[0] - b[0]).map(([d]) => d);
}

function snippetOf(text, sought) {
  const lower = text.toLowerCase();
  let at = lower.indexOf(sought);
  for (let next = at; next >= 0; next = lower.indexOf(sought, next + 1)) {
    if (quality(lower.slice(Math.max(0, next - 1), next + sought.length + 1), sought) === 3) {
      at = next;
      break;
    }
  }
  if (at < 0) return `${text.slice(0, 100).replace(/\s+/g, ' ')}…`;
  const from = Math.max(0, at - 40);
  return `${from ? '…' : ''}${text.slice(from, at + sought.length + 60).replace(/\s+/g, ' ')}…`;
}

// Where a match is that the page cannot show: among the counted words beyond the kept part of a text.
function noteOf(text, d, sought) {
  return !text || text.toLowerCase().includes(sought) || archivedName(d).toLowerCase().includes(sought) ? '' : 'further on';
}

function findArchived(sought) {
  const hits = archivedHits(sought);
  if (!hits.length) return [];
  const open = (row) => () => {
    setFound(sought, hits);
    $('document-filter').value = 'found';
    chosenDocument = row;
    listDocuments();
    showDocument(row);
    goTo('documents');
  };
  const text = (d) => (shownByRow.has(archive.rows[d]) ? plainText(shownByRow.get(archive.rows[d])) : archive.texts ? archive.texts[d] : '');
  return [
    element('h3', { textContent: `${whole(hits.length)} documents` }),
    ...hits.slice(0, HITS).map((d) => result(archivedName(d), noteOf(text(d), d, sought), open(archive.rows[d]), snippetOf(text(d), sought))),
    ...(hits.length > HITS ? [result(`List all ${whole(hits.length)} documents`, '', open(archive.rows[hits[0]]))] : []),
  ];
}

function findShown(sought) {
  shownTexts ||= documents.map((entry) => [entry.name.toLowerCase(), plainText(entry)]);
  const hits = shownTexts.map(([name, text], i) => [i, Math.max(quality(name, sought), quality(text.toLowerCase(), sought)), text])
    .filter(([, rank]) => rank).sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, HITS);
  const open = (row) => () => {
    $('document-filter').value = 'all';
    listDocuments();
    showDocument(row);
    goTo('documents');
  };
  const buttons = hits.map(([i, , text]) => result(documents[i].name, '', open(documents[i].row), snippetOf(text, sought)));
  return buttons.length ? [element('h3', { textContent: 'Documents with coloured words' }), ...buttons] : [];
}

function findDocuments(sought) {
  return archive && documents.length ? findArchived(sought) : findShown(sought);
}

async function showResults() {
  if (!searchBox.value.trim()) {
    closeResults();
    return;
  }
  await loadArchive();
  const sought = searchBox.value.trim().toLowerCase();
  if (!sought) return;
  const hits = [...findWords(sought), ...findTopics(sought), ...(sought.length > 1 ? findDocuments(sought) : [])];
  const note = element('p', { className: 'searched', textContent: `${searchedText()}${data.archive && !archive ? ` ${archiveProblem}` : ''}` });
  results.replaceChildren(...(hits.length ? hits : [element('p', { textContent: 'Nothing found.' })]), note);
  results.scrollTop = 0;
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
searchBox.parentElement.addEventListener('keydown', async (event) => {
  if (!['Escape', 'ArrowDown', 'ArrowUp', 'Enter'].includes(event.key)) return;
  if (document.activeElement !== searchBox && event.key === 'Enter') return;
  event.preventDefault();
  if (event.key === 'Escape') {
    searchBox.value = '';
    closeResults();
    searchBox.focus();
    return;
  }
  if (results.hidden || document.activeElement === searchBox) await showResults();
  const buttons = [...results.querySelectorAll('button')];
  const at = buttons.indexOf(document.activeElement);
  if (event.key === 'ArrowDown') buttons[Math.min(at + 1, buttons.length - 1)]?.focus();
  else if (event.key === 'ArrowUp') (at > 0 ? buttons[at - 1] : searchBox).focus();
  else buttons[0]?.click();
});
addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || /^(input|select|textarea)$/i.test(event.target.tagName)) return;
  event.preventDefault();
  searchBox.focus();
});
addEventListener('pointerdown', (event) => {
  if (!searchBox.parentElement.contains(event.target) && !event.target.closest('#words')) closeResults();
});
if ($('searched')) $('searched').textContent = searchedText();
