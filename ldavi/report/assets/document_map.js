// The document map: a point for each document; those with at least 10 % of the chosen topic are coloured.
const COLOURED = 0.1; // share of the chosen topic
const MAPPED = 200; // documents of the chosen topic that arrow keys reach

function topicShare(d, topic) {
  for (let i = archive.topicAt[d]; i < archive.topicAt[d + 1]; i += 1) if (archive.topics[i] === topic) return archive.shares[i] / 200;
  return 0;
}

function paintPoints(x, y, width, height, shares) {
  const ratio = 2;
  const canvas = element('canvas', { width: width * ratio, height: height * ratio });
  const paint = canvas.getContext('2d');
  paint.scale(ratio, ratio);
  const n = archive.rows.length;
  const size = n > 5000 ? 1.6 : n > 1000 ? 2.4 : 3.5;
  paint.fillStyle = colour('soft');
  paint.globalAlpha = n > 5000 ? 0.3 : 0.45;
  for (let d = 0; d < n; d += 1) if (!shares[d]) paint.fillRect(x(archive.x[d]) - size / 2, y(archive.y[d]) - size / 2, size, size);
  paint.fillStyle = colour('accent');
  for (let d = 0; d < n; d += 1) {
    if (!shares[d]) continue;
    paint.globalAlpha = 0.25 + 0.75 * Math.min(1, 2 * shares[d]);
    paint.beginPath();
    paint.arc(x(archive.x[d]), y(archive.y[d]), size * (0.7 + shares[d]), 0, 7);
    paint.fill();
  }
  return canvas.toDataURL();
}

if (data.archive && documents.length) {
  draw['document-map'] = (place, width) => {
    if (!archive) return null;
    const height = Math.round(Math.max(300, Math.min(560, width * 0.95)));
    const [x, y] = [scale(0, 1, 12, width - 12), scale(0, 1, height - 12, 12)];
    const shares = Float32Array.from(archive.rows, (_, d) => topicShare(d, chosen.topic)).map((share) => (share < COLOURED ? 0 : share));
    const [xs, ys] = data.document_map.topics;
    const points = data.topics.map((_, k) => [x(xs[k]), y(ys[k])]);
    const bySize = data.topics.map((_, k) => k).sort(orders.share);
    const labels = placeLabels([chosen.topic, ...bySize.filter((k) => k !== chosen.topic).slice(0, 40)], points, data.topics.map(() => 2), [width, height], []);
    const nodes = [svg('image', { href: paintPoints(x, y, width, height, shares), x: 0, y: 0, width, height })];
    nodes.push(...labels.map(([k, cx, cy, text]) => label(cx, cy, text, { class: k === chosen.topic ? 'map-label chosen' : 'map-label' })));
    const own = archive.place.get(chosenDocument);
    if (own !== undefined) nodes.push(svg('circle', { cx: x(archive.x[own]), cy: y(archive.y[own]), r: 7, class: 'here' }));
    const nearest = (px, py) => {
      let best = -1;
      let least = 100;
      for (let d = 0; d < archive.rows.length; d += 1) {
        const away = (x(archive.x[d]) - px) ** 2 + (y(archive.y[d]) - py) ** 2;
        if (away < least) [best, least] = [d, away];
      }
      return best;
    };
    const linesOf = (d) => [short(archivedName(d), 60), ...archivedTopics(d).slice(0, 3).map(([k, share]) => `${percent(share, 0)}  ${short(nameOf(k), 40)}`)];
    const mine = range(archive.rows.length).filter((d) => shares[d]).sort((a, b) => shares[b] - shares[a] || a - b).slice(0, MAPPED);
    return {
      width, height, nodes,
      under: (px, py) => {
        const d = nearest(px, py);
        return d < 0 ? [] : linesOf(d);
      },
      choose: (px, py) => {
        const d = nearest(px, py);
        if (d >= 0) openDocument(archive.rows[d]);
      },
      values: {
        rows: 1, columns: mine.length, first: () => [0, 0], at: (_, c) => ({ x: x(archive.x[mine[c]]), y: y(archive.y[mine[c]]), lines: linesOf(mine[c]) }),
        choose: (_, c) => openDocument(archive.rows[mine[c]]),
      },
    };
  };
}
