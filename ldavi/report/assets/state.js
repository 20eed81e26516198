// The data of the page, and the chosen topic. Text from documents is inserted through textContent only.
const data = JSON.parse(document.getElementById('data').textContent);
const $ = (id) => document.getElementById(id);
const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;
const whole = (number) => number.toLocaleString('en');
const short = (text, maxLength) => (text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text);
const range = (n) => Array.from({ length: n }, (_, i) => i);
const listeners = [];
const chosen = { topic: -1 };

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function nameOf(topic) {
  return `${topic} · ${data.topics[topic].label}`;
}

function chooseTopic(topic) {
  if (topic === chosen.topic || !(topic in data.topics)) return;
  chosen.topic = topic;
  try {
    history.replaceState(null, '', `#topic-${topic}`);
  } catch { /* a frame without an address */ }
  for (const listener of listeners) listener(topic);
}

function whenTopicChanges(listener) {
  listeners.push(listener);
}

function goTo(id) {
  const section = $(id);
  section.scrollIntoView();
  section.focus({ preventScroll: true });
}

// A list box: one stop of the tab key, arrow keys inside, and `choose` is called with what becomes active.
function listBox(list, choose) {
  const options = () => [...list.children].filter((option) => !option.hidden);
  const move = (option) => {
    if (option) choose(option);
  };
  list.addEventListener('click', (event) => move(event.target.closest('[role=option]')));
  list.addEventListener('keydown', (event) => {
    const all = options();
    const at = all.findIndex((option) => option.getAttribute('aria-selected') === 'true');
    const to = {
      ArrowDown: Math.min(at + 1, all.length - 1), ArrowUp: Math.max(at - 1, 0), Home: 0, End: all.length - 1,
      PageDown: Math.min(at + 10, all.length - 1), PageUp: Math.max(at - 10, 0),
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(all[to]);
  });
}

function markSelected(list, option) {
  for (const old of list.querySelectorAll('[aria-selected=true]')) old.setAttribute('aria-selected', 'false');
  if (!option) {
    list.removeAttribute('aria-activedescendant');
    return;
  }
  option.setAttribute('aria-selected', 'true');
  list.setAttribute('aria-activedescendant', option.id);
  const [top, bottom] = [option.offsetTop - list.offsetTop, option.offsetTop - list.offsetTop + option.offsetHeight];
  if (top < list.scrollTop) list.scrollTop = top - 4;
  else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight + 4;
}

function fillTopics(select, selected) {
  select.replaceChildren(...order.map((k) => element('option', { value: k, textContent: short(nameOf(k), 40) })));
  if (selected !== undefined) select.value = selected;
}
