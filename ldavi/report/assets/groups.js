// Two groups of documents compared: the difference between the shares of each topic, with its confidence interval.
const COMPARED = 30;

function fillGroups() {
  const { bins, documents } = cut();
  const largest = bins.map((_, b) => b).sort((a, b) => documents[b] - documents[a] || a - b);
  const ends = column().kind === 'class' ? largest : [0, bins.length - 1];
  ['first-group', 'second-group'].forEach((id, i) => {
    $(id).replaceChildren(...bins.map((_, b) => element('option', { value: b, textContent: short(binName(b), 40) })));
    if (bins.length) $(id).value = ends[Math.min(i, ends.length - 1)];
  });
  $('groups-pane').hidden = bins.length < 2;
}

function differences() {
  const [a, b] = ['first-group', 'second-group'].map((id) => Number($(id).value));
  return data.topics.map((_, k) => {
    const halves = [halfOf(k, a), halfOf(k, b)];
    const value = shareOf(k, b) - shareOf(k, a);
    if (halves.includes(undefined)) return { k, a: shareOf(k, a), b: shareOf(k, b), value };
    return { k, a: shareOf(k, a), b: shareOf(k, b), value, low: value - Math.hypot(...halves), high: value + Math.hypot(...halves) };
  });
}

if (data.columns.length) {
  draw.groups = (place, width) => {
    if (cut().bins.length < 2) return null;
    const { shown, all } = mostCertain(differences(), COMPARED);
    const [first, second] = ['first-group', 'second-group'].map((id) => binName(Number($(id).value)));
    $('groups-hint').textContent = `${all ? 'All topics' : `The ${shown.length} topics whose difference is largest compared with its interval`}. `
      + 'Difference of the shares of tokens in percentage points, with 95 % intervals over documents; filled where the interval excludes 0. '
      + `Of ${whole(data.topics.length)} topics without any difference, about 5 % would be filled too.`;
    const linesOf = ({ k, a, b, value, low, high }) => [
      nameOf(k), `${percent(a, 2)} in ${first}, ${percent(b, 2)} in ${second}`, `difference ${points(value)} percentage points`,
      ...(low === undefined ? [] : [`95 % interval: ${points(low)} to ${points(high)}`]),
    ];
    return intervalChart(width, shown, { ends: [`more in ${first}`, `more in ${second}`], slack: 0.01, linesOf });
  };
  for (const id of ['first-group', 'second-group']) {
    $(id).addEventListener('change', () => {
      cursors.delete($('groups'));
      redraw('groups');
    });
  }
  fillGroups();
}
