// Draws what #board-charts tells, and other charts whose numbers stand beside them. Every chart can be read without colour:
// lines differ by dashes and points by shape. Colours are the page's own and follow the system's dark setting.
"use strict";

const SI = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
const shortDay = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const wholeMoment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const drawn = [];

function withPrefix(number) {
  const [scale, prefix] = SI.find(([least]) => number >= least) || [1, ""];
  return `${Number((number / scale).toPrecision(4))}${prefix && ` ${prefix}`}`;
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function withAlpha(hex, alpha) {
  return `${hex}${Math.round(255 * alpha).toString(16).padStart(2, "0")}`;
}

function axis(title, options = {}) {
  const { ticks, ...rest } = options;
  return {
    title: { display: Boolean(title), text: title, color: colour("--muted") },
    ticks: { color: colour("--muted"), maxRotation: 0, autoSkipPadding: 12, ...ticks },
    grid: { color: colour("--line") },
    border: { color: colour("--line") },
    ...rest,
  };
}

const score = { ticks: { callback: (value) => Number(value.toPrecision(4)) } };

function options(scales, tooltip, legend = false) {
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    interaction: { mode: "nearest", intersect: false },
    scales,
    plugins: {
      legend: { display: legend, labels: { color: colour("--ink"), usePointStyle: true } },
      tooltip: { callbacks: tooltip, displayColors: false },
    },
  };
}

// A record that stands is drawn up to the last of the submissions.
function recordChart(board) {
  const points = board.record.map((step) => ({ x: Date.parse(step.at), y: step.value, who: step.participant }));
  const last = points[points.length - 1];
  const end = Math.max(last.x, Date.parse(board.at));
  return {
    type: "line",
    data: {
      datasets: [{
        data: [...points, { x: end, y: last.y, who: last.who, isEnd: true }], stepped: "before", borderColor: colour("--accent"),
        backgroundColor: colour("--accent"), borderWidth: 2, pointStyle: "rectRot",
        pointRadius: (context) => (context.raw?.isEnd ? 0 : 5), pointHoverRadius: (context) => (context.raw?.isEnd ? 0 : 7),
      }],
    },
    options: options(
      { x: axis("", { type: "linear", ticks: { callback: (value) => shortDay.format(value) } }), y: axis(board.metric, score) },
      {
        title: ([item]) => item.raw.who,
        label: (item) => `${item.raw.y.toFixed(4)}, ${wholeMoment.format(item.raw.x)}`,
      }),
  };
}

function costChart(board, canvas) {
  const costs = board.costs.find((each) => each.usage === canvas.dataset.usage);
  const point = (each) => ({ x: Math.max(1, each.cost), y: each.value, who: each.participant });
  return {
    data: {
      datasets: [
        {
          type: "line", label: "Pareto front", data: costs.points.filter((each) => each.on_front).map(point),
          borderColor: colour("--accent"), backgroundColor: colour("--accent"), borderDash: [6, 4], borderWidth: 2,
          pointStyle: "triangle", pointRadius: 6, pointHoverRadius: 8,
        },
        {
          type: "scatter", label: "Other entries", data: costs.points.filter((each) => !each.on_front).map(point),
          borderColor: colour("--muted"), backgroundColor: withAlpha(colour("--muted"), .25), pointStyle: "circle",
          pointRadius: 4, pointHoverRadius: 6,
        },
        ...(costs.baselines.length ? [{
          type: "scatter", label: "Baselines", data: costs.baselines.map(point), borderColor: colour("--warn"),
          backgroundColor: colour("--warn"), pointStyle: "crossRot", pointRadius: 6, borderWidth: 3,
        }] : []),
      ],
    },
    options: options(
      {
        x: axis(costs.title, { type: "logarithmic", ticks: { callback: withPrefix, maxTicksLimit: 6 } }),
        y: axis(board.metric, score),
      },
      { title: ([item]) => item.raw.who, label: (item) => `${item.raw.y.toFixed(4)} with ${withPrefix(item.raw.x)}` },
      true),
  };
}

function bars(labels, numbers, title, tooltip, xTitle) {
  return {
    type: "bar",
    data: {
      labels,
      datasets: [{
        data: numbers, backgroundColor: withAlpha(colour("--accent"), .7), borderColor: colour("--accent"), borderWidth: 1,
        categoryPercentage: 1, barPercentage: .92,
      }],
    },
    options: options({ x: axis(xTitle), y: axis(title, { beginAtZero: true, ticks: { precision: 0 } }) }, tooltip),
  };
}

function scoresChart(board) {
  const range = (bin) => `${bin.low.toFixed(4)} to ${bin.high.toFixed(4)}`;
  return bars(board.scores.map((bin) => Number(bin.low.toPrecision(3))), board.scores.map((bin) => bin.participants), "Participants", {
    title: ([item]) => range(board.scores[item.dataIndex]),
    label: (item) => `${item.raw} participant${item.raw === 1 ? "" : "s"}`,
  }, board.metric);
}

function daysChart(board) {
  const days = board.days.map((each) => Date.parse(`${each.day}T12:00Z`));
  return bars(days.map((day) => shortDay.format(day)), board.days.map((each) => each.submissions), "Submissions", {
    label: (item) => `${item.raw} submission${item.raw === 1 ? "" : "s"}`,
  });
}

// One's own scores, in the order of their uploads.
function historyChart(history) {
  const points = history.scores.map((each) => ({ x: Date.parse(each.at), y: each.value, name: each.name, isThis: each.is_this }));
  return {
    type: "line",
    data: {
      datasets: [{
        data: points, borderColor: colour("--accent"), backgroundColor: colour("--accent"), borderWidth: 2,
        pointStyle: (context) => (context.raw?.isThis ? "star" : "circle"),
        pointRadius: (context) => (context.raw?.isThis ? 9 : 4), pointBorderWidth: 2,
      }],
    },
    options: options(
      { x: axis("", { type: "linear", ticks: { callback: (value) => shortDay.format(value) } }), y: axis(history.metric, score) },
      { title: ([item]) => item.raw.name, label: (item) => `${item.raw.y.toFixed(4)}, ${wholeMoment.format(item.raw.x)}` }),
  };
}

const KINDS = {
  record: ["board-charts", recordChart], cost: ["board-charts", costChart], scores: ["board-charts", scoresChart],
  days: ["board-charts", daysChart], history: ["own-history", historyChart],
};

function drawAll() {
  while (drawn.length) drawn.pop().destroy();
  for (const canvas of document.querySelectorAll("canvas[data-chart]")) {
    const [source, make] = KINDS[canvas.dataset.chart];
    drawn.push(new Chart(canvas, make(JSON.parse(document.getElementById(source).textContent), canvas)));
  }
}

drawAll();
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
document.addEventListener("htmx:afterSettle", drawAll);
