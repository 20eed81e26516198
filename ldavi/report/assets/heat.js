// All topics over the bins of a column: shares on one scale for all topics, or relative to each topic’s own share.
const RATIOS = 2; // the ends of the relative scale, as powers of two

function mixed(stops, position) {
  const at = Math.max(0, Math.min(1, position)) * (stops.length - 1);
  const i = Math.min(Math.floor(at), stops.length - 2);
  return [0, 1, 2].map((c) => Math.round(stops[i][c] + (at - i) * (stops[i + 1][c] - stops[i][c])));
}

function rgb(name) {
  const text = colour(name);
  return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
}

// The colour scale: the stops, a function from a share to a position on it, and the texts of its legend.
function heatScale(rows) {
  if ($('heat-scale').value === 'relative') {
    return {
      names: ['low', 'mid', 'high'], title: 'Share relative to the topic’s share of all documents',
      position: (share, k) => (share > 0 ? (Math.log2(share / data.topics[k].share) / RATIOS + 1) / 2 : 0), texts: ['≤ ¼', '½', '1', '2', '≥ 4'],
    };
  }
  const values = rows.flatMap((k) => cut().share[k].filter((_, b) => cut().documents[b])).sort((a, b) => a - b);
  const highest = values[values.length - 1] / data.unit || 1;
  const top = Math.max(values[Math.floor(values.length * 0.995)] / data.unit || 0, highest / 4) || 1;
  const digits = top < 0.01 ? 2 : top < 0.1 ? 1 : 0;
  return {
    names: ['seq0', 'seq1', 'seq2', 'seq3'], title: 'Share of the tokens', position: (share) => share / top,
    texts: ['0', percent(top / 2, digits), `${top < highest ? '≥ ' : ''}${percent(top, digits)}`],
  };
}

if (data.columns.length) {
  draw.heat = (place, full) => {
    const { bins, documents } = cut();
    if (!bins.length) return null;
    const rows = data.topics.map((_, k) => k).filter((k) => data.topics[k].share > 0).sort(orders.share);
    const step = rows.length <= 40 ? 20 : 15;
    const width = full - (rows.length * step > 560 ? 14 : 0);
    const left = Math.min(width * 0.4, 230);
    const axis = binAxis();
    const dates = column().kind === 'date';
    const right = width - (dates ? 6 : 44); // slanted labels need space
    const x = scale(...axis.ends, left, right);
    const top = dates ? 22 : 14 + Math.min(110, Math.max(...bins.map((bin) => textWidth(short(bin, 18)))) * 0.87);
    const { names, title, position, texts } = heatScale(rows);
    const stops = names.map(rgb);
    const image = element('canvas', { width: bins.length, height: rows.length });
    const paint = image.getContext('2d');
    const pixels = paint.createImageData(bins.length, rows.length);
    rows.forEach((k, r) => bins.forEach((_, b) => {
      if (!documents[b]) return;
      pixels.data.set([...mixed(stops, position(shareOf(k, b), k)), 255], 4 * (r * bins.length + b));
    }));
    paint.putImageData(pixels, 0, 0);
    scaleLegend($('heat-legend'), names.map((name) => `var(--${name})`), texts, title);
    const nodes = [svg('image', { href: image.toDataURL(), x: left, y: top, width: right - left, height: rows.length * step, preserveAspectRatio: 'none', class: 'pixels' })];
    const y = (r) => top + (r + 0.5) * step;
    rows.forEach((k, r) => nodes.push(label(left - 8, y(r) + 4, fittedName(k, left - 12), { class: k === chosen.topic ? 'chosen' : 'text', 'text-anchor': 'end' })));
    const row = rows.indexOf(chosen.topic);
    if (row >= 0) nodes.push(svg('rect', { x: left, y: y(row) - step / 2, width: right - left, height: step, class: 'frame' }));
    if (dates) {
      nodes.push(...dateTicks(axis.ends, Math.max(2, (width - left) / 70)).map(([time, text]) => label(x(time), 14, text, { class: 'tick', 'text-anchor': right - x(time) < 14 ? 'end' : 'middle' })));
    } else {
      const every = Math.max(1, Math.ceil(13 / Math.abs(x(1) - x(0))));
      bins.forEach((bin, b) => {
        if (b % every === 0) nodes.push(label(0, 0, short(bin, 18), { transform: `translate(${x(b) + 4},${top - 6}) rotate(-60)`, class: 'tick' }));
      });
    }
    const at = (px, py) => [Math.floor((py - top) / step), dates ? axis.bounds.findLastIndex((bound) => bound <= x.invert(px)) : Math.round(x.invert(px))];
    const linesOf = (r, b) => [nameOf(rows[r]), ...binLines(rows[r], b)];
    return {
      width, height: top + rows.length * step + 6, nodes, cut: [top, step],
      under: (px, py) => {
        const [r, b] = at(px, py);
        return py > top && px > left && r in rows && b in bins ? linesOf(r, b) : [];
      },
      choose: (px, py) => chooseTopic(rows[at(px, py)[0]] ?? chosen.topic),
      values: {
        rows: rows.length, columns: bins.length, first: () => [Math.max(row, 0), 0],
        at: (r, b) => ({ x: x(axis.at[b]), y: y(r), lines: linesOf(r, b) }), choose: (r) => chooseTopic(rows[r]),
      },
    };
  };
  $('heat-scale').addEventListener('change', () => redraw('heat'));
}
