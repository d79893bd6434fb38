// A click on a segment, or on its time, plays from its beginning, one next to them from there; a line follows the sound.
document.addEventListener("click", ({ target, clientX }) => {
  const step = target.closest("[data-zoom]");
  if (step) return zoom(step.closest(".timeline"), step.dataset.zoom === "in" ? 2 : 0.5);
  const part = target.closest("[data-start]");
  const chart = target.closest(".chart");
  if (!part && !chart) return;
  const audio = (part ?? chart).closest(".recording").querySelector("audio");
  const box = chart?.getBoundingClientRect();
  audio.currentTime = part ? Number(part.dataset.start) : ((clientX - box.left) / box.width) * audio.duration;
  audio.play();
});

for (const kind of ["timeupdate", "seeking"]) {
  const follow = ({ target: audio }) => {
    const recording = audio.closest(".recording");
    if (!recording || !audio.duration) return;
    const line = recording.querySelector(".playhead");
    line.hidden = false;
    line.style.left = `${(100 * audio.currentTime) / audio.duration}%`;
    const view = recording.querySelector(".view");
    const beyond = line.offsetLeft - view.scrollLeft;
    if (beyond < 0 || beyond > view.clientWidth) view.scrollLeft = line.offsetLeft - view.clientWidth / 10;
    for (const part of recording.querySelectorAll(".part")) {
      const { start, end } = part.dataset;
      part.classList.toggle("now", Number(start) <= audio.currentTime && audio.currentTime < Number(end));
    }
  };
  document.addEventListener(kind, follow, true); // media events do not bubble
}

// The timeline becomes wider than its view, whose middle stays where it is; each width has an axis of its own.
function zoom(timeline, factor) {
  const view = timeline.querySelector(".view");
  const chart = view.querySelector(".chart");
  const axes = [...chart.querySelectorAll(".axis")];
  const shown = axes.find((axis) => !axis.hidden);
  const next = axes.find((axis) => Number(axis.dataset.of) === Number(shown.dataset.of) * factor);
  if (!next) return;
  const middle = (view.scrollLeft + view.clientWidth / 2) / chart.offsetWidth;
  [shown.hidden, next.hidden] = [true, false];
  chart.style.width = `${100 * next.dataset.of}%`;
  view.scrollLeft = middle * chart.offsetWidth - view.clientWidth / 2;
  timeline.querySelector(".zoom output").textContent = `${next.dataset.of}×`;
  timeline.querySelector("[data-zoom=out]").disabled = next === axes[0];
  timeline.querySelector("[data-zoom=in]").disabled = next === axes[axes.length - 1];
}

// A table that is cut on the right is marked, until it is scrolled to its end.
function hint(table) {
  const isCut = table.scrollWidth - table.clientWidth - table.scrollLeft > 2;
  table.classList.toggle("cut", isCut);
  table.nextElementSibling.hidden = !isCut;
}
document.addEventListener("scroll", ({ target }) => target.matches?.(".table") && hint(target), true);
addEventListener("resize", () => document.querySelectorAll(".table").forEach(hint));

// Gradio writes Mb, which are bits, where it refuses a file.
function spellUnits(toast) {
  const text = toast.textContent.replace(/([\d.]+?)(\.0)? Mb\b/, "$1 MB");
  if (text !== toast.textContent) toast.textContent = text;
}

// Progress or output below the window's edge, as on a phone, is scrolled into view.
let announced = "";
new MutationObserver(() => {
  document.querySelectorAll("[data-testid=toast-text]").forEach(spellUnits);
  const result = document.querySelector("#result");
  if (!result) return;
  const shown = result.querySelector(".recording, .several, .note:not(.welcome)");
  const now = result.querySelector(".pending") ? "pending" : (shown?.outerHTML.length ?? "").toString();
  if (now === announced) return;
  announced = now;
  if (now && result.getBoundingClientRect().top > innerHeight / 3)
    result.scrollIntoView({ behavior: "smooth", block: "start" });
  result.querySelectorAll(".table").forEach(hint);
}).observe(document.documentElement, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
