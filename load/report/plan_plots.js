"use strict";
/* Draws a plan's plots. Each has its own x; a series is a line, or points that say something by their colour. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const host = document.getElementById("plots");
  if (!host) return;
  const HEIGHT = 260;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const short = (value) => {
    if (value === null || value === undefined) return "–";
    if (value !== 0 && Math.abs(value) < 0.01) return value.toExponential(1);
    return String(Number(value.toPrecision(3)));
  };
  const seconds = (value) => {
    if (value === null || value === undefined) return "–";
    if (value > 0 && value < 1) return `${Number((value * 1000).toPrecision(3))} ms`;
    return `${Number(value.toPrecision(3))} s`;
  };
  const clock = (value) => {
    if (value === null || value === undefined) return "–";
    const whole = Math.round(value);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  };
  const share = (value) => (value === null || value === undefined ? "–" : `${short(value * 100)}%`);
  const SHOWN = { seconds, share, clock };
  const shown = (unit) => SHOWN[unit] || short;

  const options = (plot, width) => {
    const grid = { stroke: colour("--line"), width: 1 };
    const axis = { stroke: colour("--dim"), grid, ticks: grid, font: "11px system-ui, sans-serif" };
    const x = shown(plot.x);
    return {
      width,
      height: HEIGHT,
      scales: Object.assign(
        { x: { time: false } },
        ...plot.axes.map((unit, index) => ({
          [`y${index}`]: { range: (_, __, max) => [0, unit === "share" ? 1.02 : (max || 1) * 1.08] },
        })),
      ),
      axes: [
        { ...axis, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : x(tick))) },
        ...plot.axes.map((unit, index) => ({
          ...axis,
          scale: `y${index}`,
          side: index === 0 ? 3 : 1,
          size: 62,
          grid: index === 0 ? grid : { show: false },
          values: (_, ticks) => ticks.map(shown(unit)),
        })),
      ],
      bands: (plot.bands || []).map((band) => ({ series: [band.high + 1, band.low + 1], fill: `${colour(band.colour)}22` })),
      series: [
        { label: plot.x, value: (_, value) => x(value) },
        ...plot.series.map((series) => {
          const stroke = colour(series.colour);
          const unit = plot.axes[series.axis || 0];
          return {
            label: series.label,
            class: series.width ? "edge" : undefined,
            scale: `y${series.axis || 0}`,
            stroke,
            width: series.points ? 0 : series.width || 1.5,
            dash: series.dash ? [6, 4] : undefined,
            spanGaps: true,
            paths: series.points ? () => null : undefined,
            points: { show: Boolean(series.points), size: 9, fill: stroke, stroke },
            value: (_, value) => shown(unit)(value),
          };
        }),
      ],
    };
  };

  const figures = data.plots.map((plot) => {
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    caption.textContent = `${plot.title} (${plot.axes.join(", ")} over ${plot.x === "clock" ? "time" : plot.x})`;
    const frame = document.createElement("div");
    frame.setAttribute("role", "img");
    frame.setAttribute("aria-label", caption.textContent);
    figure.append(caption, frame);
    host.append(figure);
    return { plot, frame, drawn: null };
  });
  const draw = () => {
    for (const figure of figures) {
      if (figure.drawn) figure.drawn.destroy();
      figure.drawn = new uPlot(options(figure.plot, figure.frame.clientWidth), figure.plot.columns, figure.frame);
    }
  };
  draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(() => {
    for (const figure of figures) figure.drawn.setSize({ width: figure.frame.clientWidth, height: HEIGHT });
  }).observe(host);
})();
