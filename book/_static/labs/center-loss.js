// Lab: softmax and center loss on free points in the plane. No library, no server.
// tests/book/test_labs.py compares its losses, gradients and center steps with PyTorch.
(function () {
  "use strict";

  // ---- the model ------------------------------------------------------------------------------

  // Mean cross-entropy of the scores W z + b, center loss, and the gradient of
  // softmax + lambda1 * center with respect to points, weights and biases.
  function losses(state, lambda1) {
    const { points, labels, weights, biases, centers } = state;
    const size = points.length;
    const gradient = {
      points: points.map(() => [0, 0]),
      weights: weights.map(() => [0, 0]),
      biases: biases.map(() => 0),
    };
    let softmax = 0;
    let center = 0;
    points.forEach(([x, y], i) => {
      const scores = weights.map((w, k) => w[0] * x + w[1] * y + biases[k]);
      const highest = Math.max(...scores);
      const powers = scores.map((score) => Math.exp(score - highest));
      const total = powers.reduce((a, b) => a + b, 0);
      softmax += (highest + Math.log(total) - scores[labels[i]]) / size;
      weights.forEach((w, k) => {
        const error = (powers[k] / total - (k === labels[i] ? 1 : 0)) / size;
        gradient.points[i][0] += error * w[0];
        gradient.points[i][1] += error * w[1];
        gradient.weights[k][0] += error * x;
        gradient.weights[k][1] += error * y;
        gradient.biases[k] += error;
      });
      [x, y].forEach((value, d) => {
        const away = value - centers[labels[i]][d];
        center += (away * away) / (2 * size);
        gradient.points[i][d] += (lambda1 * away) / size;
      });
    });
    return { softmax, center, gradient };
  }

  // Delta rule: where the centers stand after one batch.
  function moved(state, alpha) {
    return state.centers.map((c, k) => {
      const own = state.points.filter((_, i) => state.labels[i] === k);
      return c.map((value, d) => {
        const sum = own.reduce((a, point) => a + (value - point[d]), 0);
        return value - (alpha * sum) / (1 + own.length);
      });
    });
  }

  // One step of gradient descent, then of the centers. A point belongs to one recording only, so
  // the 1/B of the mean is taken back for it; weights and biases are shared by all.
  function step(state, lambda1, alpha, rate) {
    const { gradient } = losses(state, lambda1);
    const centers = moved(state, alpha);
    const size = state.points.length;
    const down = (values, slopes, by) => values.map((v, d) => v - by * slopes[d]);
    return {
      labels: state.labels,
      points: state.points.map((p, i) => down(p, gradient.points[i], rate * size)),
      weights: state.weights.map((w, k) => down(w, gradient.weights[k], rate)),
      biases: down(state.biases, gradient.biases, rate),
      centers,
    };
  }

  // Spread within the classes over the mean distance between their means.
  function compactness(points, labels) {
    const classes = [...new Set(labels)];
    const means = new Map();
    for (const k of classes) {
      const own = points.filter((_, i) => labels[i] === k);
      means.set(k, [0, 1].map((d) => own.reduce((a, p) => a + p[d], 0) / own.length));
    }
    const gap = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
    const squares = points.reduce((a, p, i) => a + gap(p, means.get(labels[i])) ** 2, 0);
    let between = 0;
    classes.forEach((a, i) =>
      classes.slice(i + 1).forEach((b) => {
        between += gap(means.get(a), means.get(b));
      }),
    );
    between /= (classes.length * (classes.length - 1)) / 2;
    return between > 0 ? Math.sqrt(squares / points.length) / between : Infinity;
  }

  function start(data) {
    const nothing = data.names.map(() => [0, 0]);
    return {
      points: data.points,
      labels: data.labels,
      weights: nothing,
      biases: data.names.map(() => 0),
      centers: nothing,
    };
  }

  // ---- the page -------------------------------------------------------------------------------

  const SIDE = 400;
  const MARKS = {
    "^": "M0,-7 7,6 -7,6Z",
    o: "M-6,0a6,6 0 1,0 12,0a6,6 0 1,0 -12,0",
    s: "M-5.5,-5.5h11v11h-11Z",
    D: "M0,-7.5 7.5,0 0,7.5 -7.5,0Z",
  };
  const STYLE = `
    .ser-lab { border: 1px solid currentColor; border-radius: 0.4rem; padding: 0.8rem; }
    .ser-lab-columns { display: flex; flex-wrap: wrap; gap: 1rem; }
    .ser-lab svg { background: #fff; border-radius: 0.25rem; flex: 1 1 18rem;
      max-width: 26rem; width: 100%; height: auto; }
    .ser-lab-side { flex: 1 1 14rem; }
    .ser-lab label { display: block; margin-top: 0.5rem; }
    .ser-lab input[type="range"] { width: 100%; accent-color: #0072b2; height: 1.6rem; }
    .ser-lab button { background: transparent; border: 1px solid currentColor;
      border-radius: 0.3rem; color: inherit; font: inherit; margin: 0.6rem 0.5rem 0.3rem 0;
      min-height: 2.2rem; padding: 0.2rem 0.9rem; }
    .ser-lab :is(button, input):focus-visible { outline: 3px solid #3b8fd4; outline-offset: 2px; }
    .ser-lab table { margin: 0.5rem 0; }
    .ser-lab td { font-variant-numeric: tabular-nums; padding: 0.1rem 0.6rem; text-align: right; }
    .ser-lab th { font-weight: normal; padding: 0.1rem 0; text-align: left; }
    .ser-lab-said { clip-path: inset(50%); height: 1px; overflow: hidden; position: absolute;
      width: 1px; }`;

  let mounted = 0;

  function element(name, attributes, parent, text) {
    const drawn = ["svg", "g", "path", "line", "circle", "text"].includes(name);
    const made = drawn
      ? document.createElementNS("http://www.w3.org/2000/svg", name)
      : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  }

  function slider(parent, id, words, most, width, value) {
    const label = element("label", { for: id }, parent, `${words}: `);
    const shown = element("strong", {}, label, String(value));
    const input = element(
      "input",
      { type: "range", id, min: 0, max: most, step: width, value },
      parent,
    );
    input.addEventListener("input", () => (shown.textContent = input.value));
    return input;
  }

  function mount(box) {
    const data = JSON.parse(box.dataset.lab);
    const id = `ser-lab-${(mounted += 1)}`;
    let state = start(data);
    let steps = 0;
    let timer = null;

    box.replaceChildren();
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Lab: softmax and center loss on points in the plane");
    element("style", {}, box, STYLE);
    const columns = element("div", { class: "ser-lab-columns" }, box);
    const svg = element(
      "svg",
      { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", "aria-label": "" },
      columns,
    );
    const side = element("div", { class: "ser-lab-side" }, columns);

    const lambda1 = slider(side, `${id}-lambda`, "λ₁, weight of the center loss", 5, 0.0625, 0);
    const alpha = slider(side, `${id}-alpha`, "α, rate of the centers", 1, 0.05, 0.5);
    const buttons = element("div", {}, side);
    const once = element("button", { type: "button" }, buttons, "Step");
    const run = element("button", { type: "button" }, buttons, "Run");
    const reset = element("button", { type: "button" }, buttons, "Reset");
    const table = element("tbody", {}, element("table", {}, side));
    const cells = ["steps", "softmax loss", "center loss", "compactness"].map((name) => {
      const row = element("tr", {}, table);
      element("th", { scope: "row" }, row, name);
      return element("td", {}, row);
    });
    const legend = element("div", {}, side);
    data.names.forEach((name, k) => {
      const item = element("span", { style: "white-space: nowrap; margin-right: 0.8rem" }, legend);
      const key = element(
        "svg",
        {
          viewBox: "-9 -9 18 18",
          style: "width: 1.1rem; display: inline; padding: 1px; vertical-align: middle",
          "aria-hidden": "true",
        },
        item,
      );
      element("path", { d: MARKS[data.markers[k]], fill: data.colours[k] }, key);
      item.append(` ${name}`);
    });
    element("div", {}, side, "Rings are centers; the grid's lines are one unit apart.");
    const said = element("div", { class: "ser-lab-said", "aria-live": "polite" }, box);

    const grid = element("g", { stroke: "#d4d4d4" }, svg);
    const marks = data.points.map((_, i) =>
      element(
        "path",
        { d: MARKS[data.markers[data.labels[i]]], fill: data.colours[data.labels[i]] },
        svg,
      ),
    );
    const rings = data.names.map((_, k) =>
      element(
        "circle",
        { r: 9, fill: "#fff", "fill-opacity": 0.7, stroke: data.colours[k], "stroke-width": 3.5 },
        svg,
      ),
    );

    function draw(aloud) {
      const reach = Math.max(...state.points.flat().map(Math.abs));
      const half = [4, 6, 8, 12, 16, 24].find((size) => size > reach) || Math.ceil(1.1 * reach);
      const scale = SIDE / (2 * half);
      const at = ([x, y]) => [SIDE / 2 + scale * x, SIDE / 2 - scale * y];
      if (grid.dataset.half !== String(half)) {
        grid.dataset.half = half;
        grid.replaceChildren();
        for (let unit = -Math.floor(half); unit <= half; unit += 1) {
          const place = SIDE / 2 + scale * unit;
          const width = unit === 0 ? 2 : 1;
          const ends = { "stroke-width": width };
          element("line", { x1: place, x2: place, y1: 0, y2: SIDE, ...ends }, grid);
          element("line", { x1: 0, x2: SIDE, y1: place, y2: place, ...ends }, grid);
        }
      }
      marks.forEach((mark, i) => mark.setAttribute("transform", `translate(${at(state.points[i])})`));
      rings.forEach((ring, k) => {
        const [x, y] = at(state.centers[k]);
        ring.setAttribute("cx", x);
        ring.setAttribute("cy", y);
      });
      const { softmax, center } = losses(state, 0);
      const values = [
        String(steps),
        softmax.toFixed(3),
        center.toFixed(3),
        compactness(state.points, state.labels).toFixed(3),
      ];
      cells.forEach((cell, i) => (cell.textContent = values[i]));
      const words =
        `After ${values[0]} steps: softmax loss ${values[1]}, center loss ${values[2]}, ` +
        `compactness ${values[3]}`;
      svg.setAttribute("aria-label", `${data.points.length} points of ${data.names.length} classes. ${words}.`);
      if (aloud) said.textContent = words;
    }

    function forward(count) {
      for (let i = 0; i < count; i += 1) {
        state = step(state, Number(lambda1.value), Number(alpha.value), data.rate);
      }
      steps += count;
    }

    function pause() {
      clearInterval(timer);
      timer = null;
      run.textContent = "Run";
    }

    once.addEventListener("click", () => {
      pause();
      forward(1);
      draw(true);
    });
    run.addEventListener("click", () => {
      if (timer !== null) {
        pause();
        draw(true);
      } else if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
        forward(100); // nothing moves: a hundred steps at once
        draw(true);
      } else {
        run.textContent = "Pause";
        timer = setInterval(() => {
          forward(1);
          draw(false);
        }, 40);
      }
    });
    reset.addEventListener("click", () => {
      pause();
      state = start(data);
      steps = 0;
      draw(true);
    });
    draw(false);
  }

  if (typeof module !== "undefined" && module.exports) {
    module.exports = { losses, moved, step, compactness, start };
  } else {
    for (const box of document.querySelectorAll(".ser-lab[data-lab]:not([role])")) mount(box);
  }
})();
