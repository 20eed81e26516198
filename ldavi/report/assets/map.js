// The map: topics as circles. A label is written where it covers neither another label nor one of the obstacles.
function overlaps(a, b) {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}

// Choose labels and their positions: the topics in the given order, each below, above or beside its circle.
function placeLabels(topics, points, radii, frame, obstacles, size = 11) {
  const taken = [];
  const placed = [];
  const enough = Math.round((frame[0] * frame[1]) / 8000);
  const inner = (k) => Math.min(radii[k], 9); // half of the width of a number
  for (const k of topics) {
    if (placed.length >= enough) break;
    const text = short(data.topics[k].label, 32);
    const [w, h] = [textWidth(text, size) / 2 + 2, size * 0.65];
    const [x, y] = points[k];
    const r = radii[k];
    const centres = [[x, y + r + h + 1], [x, y - r - h - 1], [x + r + w + 2, y], [x - r - w - 2, y]];
    const free = centres.find(([cx, cy]) => {
      const box = [cx - w, cy - h, cx + w, cy + h];
      const inside = box[0] >= 0 && box[1] >= 0 && box[2] <= frame[0] && box[3] <= frame[1];
      const covers = (other) => other !== k && overlaps(box, [points[other][0] - inner(other), points[other][1] - 6, points[other][0] + inner(other), points[other][1] + 6]);
      return inside && !taken.some((other) => overlaps(box, other)) && !obstacles.some(covers);
    });
    if (!free) continue;
    taken.push([free[0] - w, free[1] - h, free[0] + w, free[1] + h]);
    placed.push([k, free[0], free[1] + size * 0.35, text]);
  }
  return placed;
}

function mapScales([xs, ys], width, height, margin) {
  const ends = (values) => [Math.min(...values), Math.max(...values)];
  const [[x0, x1], [y0, y1]] = [ends(xs), ends(ys)];
  const perPixel = Math.max((x1 - x0) / (width - 2 * margin), (y1 - y0) / (height - 2 * margin)) || 1;
  const centre = [(x0 + x1) / 2, (y0 + y1) / 2];
  return (k) => [width / 2 + (xs[k] - centre[0]) / perPixel, height / 2 - (ys[k] - centre[1]) / perPixel];
}

draw.map = (place, width) => {
  const height = Math.round(Math.max(320, Math.min(620, width * 0.95)));
  const largest = Math.max(9, Math.min(32, width / 18) * Math.max(0.45, Math.min(1, 6 / Math.sqrt(data.topics.length))));
  const radii = data.topics.map((topic) => Math.max(3, largest * Math.sqrt(topic.share / largestShare)));
  const at = mapScales(data.map, width, height, largest + 16);
  const points = data.topics.map((_, k) => at(k));
  const selected = (k) => k === chosen.topic;
  const bySize = data.topics.map((_, k) => k).sort(orders.share);
  const back = [...bySize].sort((a, b) => selected(a) - selected(b));
  const circles = back.map((k) => svg('circle', { cx: points[k][0], cy: points[k][1], r: radii[k], class: selected(k) ? 'circle chosen' : 'circle' }));
  const numbered = back.filter((k) => radii[k] >= 4 + 3 * String(k).length);
  const numbers = numbered.map((k) => label(points[k][0], points[k][1] + 4, String(k), { class: selected(k) ? 'inside chosen' : 'inside' }));
  const first = [chosen.topic, ...bySize.filter((k) => !selected(k))];
  const labels = placeLabels(first, points, radii, [width, height], data.topics.length > 60 ? numbered : back)
    .map(([k, x, y, text]) => label(x, y, text, { class: selected(k) ? 'map-label chosen' : 'map-label' }));
  const nearest = (x, y, margin = 0) => [...back].reverse().find((k) => Math.hypot(points[k][0] - x, points[k][1] - y) <= Math.max(8, radii[k]) + margin);
  const linesOf = (k) => [nameOf(k), `${percent(data.topics[k].share, 2)} of all tokens`];
  return {
    width, height, nodes: [...circles, ...numbers, ...labels],
    under: (x, y) => {
      const k = nearest(x, y);
      return k === undefined ? [] : linesOf(k);
    },
    choose: (x, y) => chooseTopic(nearest(x, y, 2) ?? chosen.topic), // clicks have rounded coordinates
    values: {
      rows: 1, columns: bySize.length, first: () => [0, bySize.indexOf(chosen.topic)],
      at: (_, c) => ({ x: points[bySize[c]][0], y: points[bySize[c]][1], lines: linesOf(bySize[c]) }),
      choose: (_, c) => chooseTopic(bySize[c]),
    },
  };
};
$('map-moved').textContent = data.moved ? ` ${data.moved === 1 ? 'One topic lies' : `${data.moved} topics lie`} far outside and ${data.moved === 1 ? 'was' : 'were'} moved closer.` : '';
