"use strict";
/* Draws the plots that the page's data describes: columns of numbers over `t`, and for each plot its series. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const host = document.getElementById("plots");
  const times = data.columns.t || [];
  if (!host || times.length === 0) {
    if (host) host.textContent = "Nothing was measured over time.";
    return;
  }
  const HEIGHT = 210;
  const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800];
  const sync = uPlot.sync("time");
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
  const shown = (unit) => (unit === "seconds" ? seconds : unit === "share" ? (v) => (v === null || v === undefined ? "–" : `${short(v * 100)}%`) : short);

  const options = (plot, width) => {
    const grid = { stroke: colour("--line"), width: 1 };
    const axis = { stroke: colour("--dim"), grid, ticks: grid, font: "11px system-ui, sans-serif" };
    return {
      width,
      height: HEIGHT,
      cursor: { sync: { key: sync.key } },
      scales: Object.assign(
        { x: { time: false } },
        ...plot.axes.map((unit, index) => ({
          [`y${index}`]: { range: (_, __, max) => [0, unit === "share" ? 1 : (max || 1) * 1.08] },
        })),
      ),
      axes: [
        { ...axis, incrs: MINUTES, values: (_, ticks) => ticks.map(clock) },
        ...plot.axes.map((unit, index) => ({
          ...axis,
          scale: `y${index}`,
          side: index === 0 ? 3 : 1,
          size: 62,
          grid: index === 0 ? grid : { show: false },
          values: (_, ticks) => ticks.map(shown(unit)),
        })),
      ],
      series: [
        { label: "time", value: (_, value) => clock(value) },
        ...plot.series.map((series) => ({
          label: series.label,
          scale: `y${series.axis || 0}`,
          stroke: colour(`--c${series.colour}`),
          width: 1.6,
          spanGaps: true,
          points: { show: times.length < 3 },
          value: (_, value) => shown(plot.axes[series.axis || 0])(value),
        })),
      ],
    };
  };

  const figures = data.plots
    .filter((plot) => plot.series.every((series) => data.columns[series.column]))
    .map((plot) => {
      const figure = document.createElement("figure");
      const caption = document.createElement("figcaption");
      caption.textContent = `${plot.title} (${plot.axes.join(", ")})`;
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
      const columns = [times, ...figure.plot.series.map((series) => data.columns[series.column])];
      figure.drawn = new uPlot(options(figure.plot, figure.frame.clientWidth), columns, figure.frame);
    }
  };
  draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(() => {
    for (const figure of figures) figure.drawn.setSize({ width: figure.frame.clientWidth, height: HEIGHT });
  }).observe(host);
})();
