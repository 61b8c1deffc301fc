
// Sliders of the what-if simulator: the same sums as csi.whatif, over draws that stand in the page.
(() => {
  const data = JSON.parse(document.getElementById("simulator-data").textContent);
  const signed = (x) => {
    const digits = Math.abs(x).toFixed(1);
    return digits === "0.0" ? digits : (x < 0 ? "\u2212" : "+") + digits;
  };
  const whole = (x) => (x < 0 ? "\u2212" : x > 0 ? "+" : "") + Math.abs(x);
  const filled = (words, gaps) => words.replace(/\{(\w+)\}/g, (_, name) => gaps[name]);
  const quantile = (sorted, p) => {
    const at = (sorted.length - 1) * p, below = Math.floor(at);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
  };
  const stopped = (change) => Math.min(Math.max(data.now + change, 0), 100) - data.now;
  for (const box of document.querySelectorAll("[data-simulator]")) {
    const levers = [...box.querySelectorAll("input")];
    const told = box.querySelector(".result");
    const show = () => {
      const places = levers.map((lever) => Number(lever.value) - data.first);
      const rise = places.map((place, i) => data.rise[i][place]);
      const summed = (row) => row.reduce((sum, each, i) => sum + each * rise[i], 0);
      const drawn = data.draws.map(summed).sort((a, b) => a - b);
      const change = stopped(summed(data.response));
      const limits = drawn.length ? [(1 - data.level) / 2, (1 + data.level) / 2].map((p) => stopped(quantile(drawn, p))) : [];
      levers.forEach((lever, i) => {
        const row = lever.parentElement, asked = Number(lever.value);
        lever.setAttribute("aria-valuetext", whole(asked));
        row.querySelector("output").textContent = whole(asked);
        row.querySelector(".left").textContent = asked === 0 ? "" : filled(box.dataset.left, {
          rise: signed(rise[i]), end: (100 * data.at_end[i][places[i]]).toFixed(0) + "%",
        });
      });
      told.textContent = filled(box.dataset.result, {
        now: data.now.toFixed(1), after: (data.now + change).toFixed(1), change: signed(change),
        low: limits.length ? signed(limits[0]) : "–", high: limits.length ? signed(limits[1]) : "–",
      });
    };
    levers.forEach((lever) => lever.addEventListener("input", show));
    box.querySelector("button").addEventListener("click", () => {
      levers.forEach((lever) => { lever.value = "0"; });
      show();
    });
    show();
    box.hidden = false;
  }
})();
