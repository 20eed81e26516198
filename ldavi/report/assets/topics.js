// The list of topics, and the words of the chosen topic by decreasing relevance.
const topicList = $('topic-list');
const largestShare = Math.max(...data.topics.map((topic) => topic.share)) || 1;
const topicOptions = data.topics.map((topic, k) => {
  const bar = element('i');
  bar.style.width = `${(100 * topic.share) / largestShare}%`;
  const option = element(
    'li', { id: `topic-option-${k}`, title: topic.label },
    element('span', { className: 'number', textContent: k }),
    element('span', { className: 'label', textContent: topic.label }),
    element('span', { className: 'value', textContent: percent(topic.share) }),
    element('span', { className: 'size' }, bar),
  );
  option.setAttribute('role', 'option');
  option.setAttribute('aria-selected', 'false');
  option.dataset.topic = k;
  return option;
});
const orders = {
  share: (a, b) => data.topics[b].share - data.topics[a].share || a - b,
  number: (a, b) => a - b,
  label: (a, b) => data.topics[a].label.localeCompare(data.topics[b].label) || a - b,
};
let order = [];

function sortTopics(by) {
  order = data.topics.map((_, k) => k).sort(orders[by]);
  topicList.replaceChildren(...order.map((k) => topicOptions[k]));
}

// relevance = λ log p(w|k) + (1 − λ) log(p(w|k) / p(w))
function relevantWords(topic, weight) {
  const { words, p, share } = data.topics[topic];
  return words
    .map((w, i) => {
      const log = Math.log(p[i]);
      return {
        word: data.words[w], p: p[i], own: Math.min(1, (p[i] * share) / data.word_share[w]),
        relevance: weight * log + (1 - weight) * (log - Math.log(data.word_share[w])),
      };
    })
    .sort((a, b) => b.relevance - a.relevance || b.p - a.p)
    .slice(0, data.n_words);
}

function showWords() {
  const weight = Number($('relevance').value);
  $('relevance-value').textContent = `λ = ${weight.toFixed(2)}`;
  const shown = relevantWords(chosen.topic, weight);
  const highest = Math.max(...shown.map((entry) => entry.p));
  $('words').replaceChildren(...shown.map((entry) => {
    const button = element('button', { type: 'button', textContent: entry.word, title: `Topics that use “${entry.word}”` });
    const bar = element('i');
    bar.style.width = `${(100 * entry.p) / highest}%`;
    const measure = element('span', { className: 'measure' }, bar, element('span', { className: 'value', textContent: percent(entry.p, 2) }));
    const own = element('span', { className: 'value', textContent: `${Math.round(100 * entry.own)} %` });
    return element('li', {}, button, measure, own);
  }));
}

function describeTopic(topic) {
  const { label, share, documents } = data.topics[topic];
  $('topic-title').textContent = `Topic ${topic}: ${label}`;
  $('topic-facts').textContent = `${percent(share, 2)} of all tokens; the largest topic of ${whole(documents)} documents`;
}

whenTopicChanges((topic) => {
  endEdit(false);
  describeTopic(topic);
  markSelected(topicList, topicOptions[topic]);
  $('words').scrollTop = 0;
  showWords();
});

function step(by) {
  const at = order.indexOf(chosen.topic);
  chooseTopic(order[(at + by + order.length) % order.length]);
}

listBox(topicList, (option) => chooseTopic(Number(option.dataset.topic)));
$('order').addEventListener('change', () => {
  sortTopics($('order').value);
  markSelected(topicList, topicOptions[chosen.topic]);
});
$('relevance').addEventListener('input', showWords);
$('previous').addEventListener('click', () => step(-1));
$('next').addEventListener('click', () => step(1));
$('words').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button) searchFor(button.textContent);
});
whenNamesChange((topic) => {
  topicOptions[topic].title = data.topics[topic].label;
  topicOptions[topic].querySelector('.label').textContent = data.topics[topic].label;
  if ($('order').value === 'label') sortTopics('label');
  describeTopic(chosen.topic);
});
sortTopics('share');
