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

// Differences in the order of the chart, and whether all topics are among them.
function differences() {
  const [a, b] = ['first-group', 'second-group'].map((id) => Number($(id).value));
  const rows = data.topics.map((_, k) => {
    const halves = [halfOf(k, a), halfOf(k, b)];
    const half = halves.includes(undefined) ? undefined : Math.hypot(...halves);
    const difference = shareOf(k, b) - shareOf(k, a);
    return { k, a: shareOf(k, a), b: shareOf(k, b), difference, half, order: half ? Math.abs(difference) / half : Math.abs(difference) };
  });
  const shown = rows.sort((p, q) => q.order - p.order || p.k - q.k).slice(0, COMPARED);
  return { shown: shown.sort((p, q) => q.difference - p.difference || p.k - q.k), all: rows.length === shown.length };
}

if (data.columns.length) {
  draw.groups = (place, width) => {
    if (cut().bins.length < 2) return null;
    const { shown, all } = differences();
    const [first, second] = ['first-group', 'second-group'].map((id) => binName(Number($(id).value)));
    const step = 20;
    const left = Math.min(width * 0.42, 260);
    const [right, top] = [width - 12, 30];
    const bottom = top + shown.length * step;
    const reach = Math.max(...shown.map(({ difference, half }) => Math.abs(difference) + Math.min(half || 0, 2 * Math.abs(difference) + 0.01))) * 1.05 || 1;
    const x = scale(-reach, reach, left, right);
    const y = (row) => top + (row + 0.5) * step;
    const points = (value, digits = 2) => `${value > 0 ? '+' : ''}${(100 * value).toFixed(digits)}`;
    const clamp = (value) => Math.max(left, Math.min(right, x(value)));
    const nodes = [
      label(x(0) - 8, 12, fitted(`← more in ${first}`, x(0) - left), { class: 'small', 'text-anchor': 'end' }),
      label(x(0) + 8, 12, fitted(`more in ${second} →`, right - x(0)), { class: 'small' }),
    ];
    for (const value of ticks(-reach, reach, Math.max(2, (right - left) / 80))) {
      nodes.push(svg('line', { x1: x(value), x2: x(value), y1: top - 4, y2: bottom, class: Math.abs(value) < 1e-12 ? 'axis' : 'grid' }));
      nodes.push(label(x(value), bottom + 16, points(value, reach < 0.01 ? 1 : 0), { class: 'tick', 'text-anchor': 'middle' }));
    }
    shown.forEach(({ k, difference, half }, row) => {
      const sure = half !== undefined && Math.abs(difference) > half;
      nodes.push(label(left - 8, y(row) + 4, fittedName(k, left - 12), { class: k === chosen.topic ? 'chosen' : 'text', 'text-anchor': 'end' }));
      if (half !== undefined) nodes.push(svg('line', { x1: clamp(difference - half), x2: clamp(difference + half), y1: y(row), y2: y(row), class: sure ? 'whisker sure' : 'whisker' }));
      nodes.push(svg('circle', { cx: x(difference), cy: y(row), r: 4, class: sure ? 'dot sure' : 'dot' }));
    });
    $('groups-hint').textContent = `${all ? 'All topics' : `The ${shown.length} topics whose difference is largest compared with its interval`}. `
      + 'Difference of the shares of tokens in percentage points, with 95 % intervals over documents; filled where the interval excludes 0. '
      + `Of ${whole(data.topics.length)} topics without any difference, about 5 % would be filled too.`;
    const linesOf = ({ k, a, b, difference, half }) => [
      nameOf(k), `${percent(a, 2)} in ${first}, ${percent(b, 2)} in ${second}`, `difference ${points(difference)} percentage points`,
      ...(half === undefined ? [] : [`95 % interval: ${points(difference - half)} to ${points(difference + half)}`]),
    ];
    return {
      width, height: bottom + 24, nodes,
      under: (_, py) => {
        const row = shown[Math.floor((py - top) / step)];
        return row && py > top ? linesOf(row) : [];
      },
      choose: (_, py) => chooseTopic(shown[Math.floor((py - top) / step)]?.k ?? chosen.topic),
      values: {
        rows: shown.length, columns: 1, first: () => [0, 0],
        at: (row) => ({ x: x(shown[row].difference), y: y(row), lines: linesOf(shown[row]) }), choose: (row) => chooseTopic(shown[row].k),
      },
    };
  };
  for (const id of ['first-group', 'second-group']) {
    $(id).addEventListener('change', () => {
      cursors.delete($('groups'));
      redraw('groups');
    });
  }
  fillGroups();
}
