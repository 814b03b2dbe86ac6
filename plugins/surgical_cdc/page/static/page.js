// Draws the plots in the colours of the style sheet, and shows a choice as soon as it is made.
"use strict";

function colour(name) {
  // Plotly reads no light-dark(): the browser resolves it.
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}

function faint(resolved, share) {
  return resolved.replace("rgb(", "rgba(").replace(")", `, ${share})`);
}

function painted(trace) {
  if (trace.type === "sankey") {
    trace.node.color = colour("accent");
    trace.node.line = { width: 0 };
    trace.link.color = faint(colour("accent"), 0.22);
    trace.link.hovercolor = faint(colour("accent"), 0.5);
    trace.textfont = { color: colour("text"), shadow: "none" };
  } else if (trace.type === "scatter") {
    trace.line = { color: colour("median"), width: 1.5, dash: "dot" };
  } else {
    const phases = ["detect", "update", "sync"];
    trace.marker = { color: colour(phases.includes(trace.name) ? trace.name : "quiet"), line: { width: 0 } };
  }
  return trace;
}

function draw(figure) {
  const plot = JSON.parse(document.getElementById(figure.dataset.plot).textContent);
  const axis = { gridcolor: colour("rule"), linecolor: colour("rule"), zerolinecolor: colour("rule"), fixedrange: true };
  const layout = {
    ...plot.layout,
    margin: { l: 56, r: 8, t: 24, b: 48 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: colour("text") },
    hoverlabel: { bgcolor: colour("raised"), bordercolor: colour("rule"), font: { color: colour("text") } },
  };
  for (const name of ["xaxis", "yaxis", "yaxis2"]) {
    if (layout[name]) layout[name] = { ...axis, ...layout[name] };
  }
  if (plot.data[0].type === "sankey") {
    layout.margin = { l: 4, r: 4, t: 8, b: 8 };
    // Names of both sides need that much room; the figure scrolls.
    layout.width = Math.max(figure.clientWidth, 560);
  }
  figure.classList.add("drawn");
  Plotly.react(figure, plot.data.map(painted), layout, { displayModeBar: false, responsive: true });
}

function drawAll() {
  document.querySelectorAll("[data-plot]").forEach(draw);
}

document.documentElement.classList.add("scripted");
document.querySelectorAll("form").forEach((form) => form.addEventListener("change", (event) => {
  if (event.target.tagName !== "SELECT") return;
  // Another DAG has other runs and tables, another table other keys.
  const others = { dag_id: ":is(select, input):not([name=dag_id])", table: "[name=key]" }[event.target.name];
  if (others) form.querySelectorAll(others).forEach((one) => (one.disabled = true));
  form.requestSubmit();
}));
// Airflow's frame may not lead Airflow elsewhere; a link of Airflow's own document may.
document.querySelectorAll("a[target=_top]").forEach((link) => link.addEventListener("click", (event) => {
  if (window.top === window) return;
  event.preventDefault();
  const outside = window.top.document.createElement("a");
  outside.href = link.href;
  outside.click();
}));
document.querySelectorAll(".scroll:has(.heat)").forEach((region) => (region.scrollLeft = region.scrollWidth));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
// Plotly comes behind this file: to read it takes a while, in which links and choices are there.
document.addEventListener("DOMContentLoaded", () => window.Plotly && drawAll());
