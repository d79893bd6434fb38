// The live tab: the microphone goes to the WebSocket of this server in 16-bit samples, and its events become curves.
const HOPS = 120;
const WORKLET = `registerProcessor("chunks", class extends AudioWorkletProcessor {
  constructor() { super(); this.samples = []; }
  process([[channel]]) {
    if (channel) this.samples.push(...channel);
    if (this.samples.length >= sampleRate / 10) this.port.postMessage(Int16Array.from(this.samples.splice(0),
      (value) => Math.max(-1, Math.min(1, value)) * 32767));
    return true;
  }
});`;

class Live {
  constructor(section) {
    this.section = section;
    this.hops = [];
    this.head = section.dataset.head;
    this.say("Asking for the microphone…");
  }

  async start() {
    this.media = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    this.context = new AudioContext();
    await this.context.audioWorklet.addModule(URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" })));
    const address = new URL("v1/stream", document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    address.search = new URLSearchParams({ sample_rate: this.context.sampleRate, hop_s: this.section.dataset.hop });
    this.socket = new WebSocket(address);
    this.socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    this.socket.onclose = () => this.stop();
    this.socket.onopen = () => {
      const chunks = new AudioWorkletNode(this.context, "chunks");
      chunks.port.onmessage = ({ data }) => this.socket.readyState === 1 && this.socket.send(data);
      this.context.createMediaStreamSource(this.media).connect(chunks);
      this.say("Listening");
    };
  }

  stop() {
    if (this.socket?.readyState === 1) this.socket.send("end");
    this.media?.getTracks().forEach((track) => track.stop());
    if (this.context?.state !== "closed") this.context?.close();
    const button = this.section.querySelector(".live-toggle");
    [button.textContent, button.ariaPressed] = ["Start", "false"];
    if (!this.failed) this.say("Microphone off");
  }

  say(text) { this.section.querySelector(".live-now").textContent = text; }

  take(event) {
    if (event.event === "error") { this.failed = true; this.say(event.error); }
    if (event.event === "segment_end") this.list(event);
    if (event.event !== "hop") return;
    this.hops = [...this.hops, event].slice(-HOPS);
    const best = Array.isArray(event[this.head]) ? event[this.head][0] : null;
    this.say(best ? `${best.label} ${Math.round(100 * best.score)}%` : event.speech ? "Speech" : "No speech");
    this.draw();
  }

  draw() {
    const first = HOPS - this.hops.length;
    const height = ({ score }) => (98 - 96 * score).toFixed(1);
    for (const path of this.section.querySelectorAll("path[data-class]")) {
      let line = "";
      this.hops.forEach((hop, index) => {
        const entry = (hop[this.head] ?? []).find?.(({ label }) => label === path.dataset.class);
        const before = index > 0 && this.hops[index - 1].speech;
        if (!entry) return;
        const begin = before ? "" : `M${first + index} ${height(entry)}`;
        line += `${begin}L${first + index + 0.5} ${height(entry)}`;
      });
      path.setAttribute("d", line);
    }
    const bands = this.hops.map((hop, index) => (hop.speech ? `M${first + index} 0h1v100h-1z` : "")).join("");
    this.section.querySelector(".live-speech").innerHTML = `<path d="${bands}"></path>`;
  }

  list(segment) {
    const list = this.section.querySelector(".live-segments");
    const [best] = Array.isArray(segment[this.head]) ? segment[this.head] : [{ label: "speech", score: 1 }];
    const item = document.createElement("li");
    item.textContent = `${segment.start_s.toFixed(1)}–${segment.end_s.toFixed(1)} s ${best.label}`;
    list.prepend(item);
    while (list.children.length > 20) list.lastChild.remove();
  }
}

let live;
document.addEventListener("click", async ({ target }) => {
  const button = target.closest(".live-toggle");
  if (!button) return;
  if (button.ariaPressed === "true") return live.stop();
  [button.textContent, button.ariaPressed] = ["Stop", "true"];
  live = new Live(button.closest(".live"));
  try {
    await live.start();
  } catch (error) {
    live.failed = true;
    live.say(`The microphone cannot be used: ${error.message}`);
    live.stop();
  }
});
