"use strict";
/* Draws the plots that the page's data describes. Each has an x with its unit, one or two y axes, and series that are
   lines, or points that say something by their colour. A column is a list of numbers, or the name of one of `columns`,
   which several plots share. Plots over time have a common cursor. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const host = document.getElementById("plots");
  if (!host) return;
  const HEIGHT = 230;
  const NOTHING = "–";
  const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800];
  const sync = uPlot.sync("time");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const known = (show) => (value) => (value === null || value === undefined ? NOTHING : show(value));
  const short = known((value) =>
    value !== 0 && Math.abs(value) < 0.01 ? value.toExponential(1) : String(Number(value.toPrecision(3))),
  );
  const seconds = known((value) =>
    value > 0 && value < 1 ? `${Number((value * 1000).toPrecision(3))} ms` : `${Number(value.toPrecision(3))} s`,
  );
  const clock = known((value) => {
    const whole = Math.round(value);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  });
  const share = known((value) => `${short(value * 100)}%`);
  const SHOWN = { seconds, share, clock };
  const shown = (unit) => SHOWN[unit] || short;
  const columnsOf = (plot) =>
    plot.columns.map((column) => (typeof column === "string" ? data.columns[column] : column));

  const axes = (plot) => {
    const grid = { stroke: colour("--line"), width: 1 };
    const axis = { stroke: colour("--dim"), grid, ticks: grid, font: "11px system-ui, sans-serif" };
    const x = shown(plot.x);
    return [
      {
        ...axis,
        ...(plot.x === "clock" ? { incrs: MINUTES } : {}),
        values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : x(tick))),
      },
      ...plot.axes.map((unit, index) => ({
        ...axis,
        scale: `y${index}`,
        side: index === 0 ? 3 : 1,
        size: 62,
        grid: index === 0 ? grid : { show: false },
        values: (_, ticks) => ticks.map(shown(unit)),
      })),
    ];
  };

  const seriesOf = (plot, few) => [
    { label: plot.x === "clock" ? "time" : plot.x, value: (_, value) => shown(plot.x)(value) },
    ...plot.series.map((series) => {
      const stroke = colour(series.colour);
      return {
        label: series.label,
        class: series.width ? "edge" : undefined,
        scale: `y${series.axis || 0}`,
        stroke,
        width: series.points ? 0 : series.width || 1.6,
        dash: series.dash ? [6, 4] : undefined,
        spanGaps: true,
        paths: series.points ? () => null : undefined,
        points: series.points ? { show: true, size: 9, fill: stroke, stroke } : { show: few },
        value: (_, value) => shown(plot.axes[series.axis || 0])(value),
      };
    }),
  ];

  const options = (plot, columns, width) => ({
    width,
    height: HEIGHT,
    cursor: plot.x === "clock" ? { sync: { key: sync.key } } : {},
    scales: Object.assign(
      { x: { time: false } },
      ...plot.axes.map((unit, index) => ({
        [`y${index}`]: { range: (_, __, max) => [0, unit === "share" ? 1.02 : (max || 1) * 1.08] },
      })),
    ),
    axes: axes(plot),
    bands: (plot.bands || []).map((band) => ({ series: [band.high + 1, band.low + 1], fill: `${colour(band.colour)}22` })),
    series: seriesOf(plot, columns[0].length < 3),
  });

  const figures = data.plots
    .map((plot) => ({ plot, columns: columnsOf(plot) }))
    .filter(({ columns }) => columns.every(Boolean) && columns[0].length > 0)
    .map(({ plot, columns }) => {
      const figure = document.createElement("figure");
      const caption = document.createElement("figcaption");
      caption.textContent = `${plot.title} (${plot.axes.join(", ")} over ${plot.x === "clock" ? "time" : plot.x})`;
      const frame = document.createElement("div");
      frame.setAttribute("role", "img");
      frame.setAttribute("aria-label", caption.textContent);
      figure.append(caption, frame);
      host.append(figure);
      return { plot, columns, frame, drawn: null };
    });
  if (figures.length === 0) host.textContent = "Nothing was measured that could be drawn.";

  const draw = () => {
    for (const figure of figures) {
      if (figure.drawn) figure.drawn.destroy();
      figure.drawn = new uPlot(options(figure.plot, figure.columns, figure.frame.clientWidth), figure.columns, figure.frame);
    }
  };
  draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(() => {
    for (const figure of figures) figure.drawn.setSize({ width: figure.frame.clientWidth, height: HEIGHT });
  }).observe(host);
})();
