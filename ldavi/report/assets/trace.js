// The ELBO after each pass of the fit.
if (data.trace) {
  draw.trace = (place, width) => {
    const { iteration, phase, elbo, perplexity } = data.trace;
    const names = { warmup: 'warm-up' };
    const phases = [...new Set(phase)];
    const known = iteration.map((_, i) => i).filter((i) => elbo[i] !== null);
    const values = known.map((i) => elbo[i]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const [unit, unitName] = [[1e9, 'billion '], [1e6, 'million '], [1e3, 'thousand '], [1, '']].find(([size]) => size === 1 || Math.abs(high) >= size);
    const [left, right, top, bottom] = [64, width - 10, 22, 270];
    const margin = 0.05 * (high - low) || 1;
    const x = scale(iteration[0] - 0.5, iteration[iteration.length - 1] + 0.5, left, right);
    const y = scale(low - margin, high + margin, bottom, top);
    const steps = ticks(low - margin, high + margin, 5);
    const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(((steps[1] ?? high) - steps[0]) / unit || 1))));
    const nodes = steps.flatMap((value) => [
      svg('line', { x1: left, x2: right, y1: y(value), y2: y(value), class: 'grid' }),
      label(left - 8, y(value) + 4, (value / unit).toFixed(digits), { class: 'tick', 'text-anchor': 'end' }),
    ]);
    nodes.push(label(4, 12, `${unitName}nats`, { class: 'tick' }));
    const passes = ticks(iteration[0], iteration[iteration.length - 1], Math.max(2, width / 90)).filter((value) => Number.isInteger(value));
    nodes.push(...passes.map((value) => label(x(value), bottom + 18, value, { class: 'tick', 'text-anchor': 'middle' })), label(left - 8, bottom + 18, 'pass', { class: 'tick', 'text-anchor': 'end' }));
    phases.forEach((name, n) => {
      const rows = known.filter((i) => phase[i] === name);
      const stroke = n === phases.length - 1 ? 'var(--c0)' : `var(--c${n + 1})`;
      nodes.push(svg('polyline', { points: rows.map((i) => `${x(iteration[i])},${y(elbo[i])}`).join(' '), class: 'line', style: `stroke:${stroke}` }));
      if (rows.length <= 60) nodes.push(...rows.map((i) => svg('circle', { cx: x(iteration[i]), cy: y(elbo[i]), r: 2.5, style: `fill:${stroke}` })));
      if (phases.length > 1 && rows.length) {
        nodes.push(svg('circle', { cx: left + 16 + n * 120, cy: bottom + 32, r: 4, style: `fill:${stroke}` }), label(left + 26 + n * 120, bottom + 36, names[name] || name, { class: 'small' }));
      }
    });
    const linesOf = (i) => [
      `pass ${iteration[i]}, ${names[phase[i]] || phase[i]}`,
      elbo[i] === null ? 'no bound in this pass' : `${elbo[i].toLocaleString('en', { maximumFractionDigits: 1 })} nats`,
      ...(perplexity[i] === null ? [] : [`perplexity ${perplexity[i].toFixed(1)}`]),
    ];
    return {
      width, height: bottom + 44, nodes,
      under: (px) => linesOf(nearestBin(iteration, x.invert(px))),
      values: {
        rows: 1, columns: iteration.length, first: () => [0, iteration.length - 1],
        at: (_, i) => ({ x: x(iteration[i]), y: elbo[i] === null ? bottom : y(elbo[i]), lines: linesOf(i) }),
      },
    };
  };
}
