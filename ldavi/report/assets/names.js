// Names of topics that the reader changes. They are kept until the page is closed, and saved to a file on request.
const renamed = new Set(); // topics whose name the reader has changed
const renameListeners = [];
let unsaved = false;

function whenNamesChange(listener) {
  renameListeners.push(listener);
}

function rename(topic, text) {
  const name = text.replace(/\s+/g, ' ').trim();
  const entry = data.topics[topic];
  if (!name || name === entry.label) return;
  entry.label = name;
  renamed.add(topic);
  unsaved = true;
  describeNames();
  for (const listener of renameListeners) listener(topic);
}

// The names that the model or the reader gave; words that merely describe a topic are no names.
function givenNames() {
  return Object.fromEntries(data.topics.map((topic, k) => [k, topic]).filter(([k, topic]) => topic.named || renamed.has(k))
    .map(([k, topic]) => [k, topic.label]));
}

function describeNames() {
  const n = renamed.size;
  $('save-names').disabled = !n;
  $('names-note').textContent = n
    ? `${n === 1 ? 'One name is' : `${n} names are`} changed${unsaved ? ' and not saved' : ''}.`
    : 'Rename a topic, then save the names to a file.';
}

function saveNames() {
  const text = `${JSON.stringify(givenNames(), null, 1)}\n`;
  const link = element('a', { download: 'topic-names.json', href: URL.createObjectURL(new Blob([text], { type: 'application/json' })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  unsaved = false;
  describeNames();
}

function editName() {
  const input = $('name-input');
  input.value = data.topics[chosen.topic].label;
  $('topic-title').hidden = true;
  $('name-form').hidden = false;
  input.focus();
  input.select();
}

function endEdit(keep) {
  if ($('name-form').hidden) return;
  $('name-form').hidden = true;
  $('topic-title').hidden = false;
  if (keep) rename(chosen.topic, $('name-input').value);
}

$('rename').addEventListener('click', editName);
$('save-names').addEventListener('click', saveNames);
$('name-input').addEventListener('blur', () => endEdit(true));
$('name-input').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' && event.key !== 'Escape') return;
  event.preventDefault();
  event.stopPropagation();
  endEdit(event.key === 'Enter');
  $('rename').focus();
});
addEventListener('beforeunload', (event) => {
  if (unsaved) event.preventDefault();
});
describeNames();
