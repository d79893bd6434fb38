// A click on a segment, or on its time, plays from its beginning, one beside them from there; a line follows the sound.
document.addEventListener("click", ({ target, clientX }) => {
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
    for (const part of recording.querySelectorAll(".part")) {
      const { start, end } = part.dataset;
      part.classList.toggle("now", Number(start) <= audio.currentTime && audio.currentTime < Number(end));
    }
  };
  document.addEventListener(kind, follow, true); // media events do not bubble
}
