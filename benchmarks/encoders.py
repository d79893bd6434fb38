"""What each encoder costs, with random weights at the published sizes: `python -m benchmarks.encoders`.

The table of docs/encoders.md. Parameters are counted without making them; an encoder is timed if it has no more of them
than `--max_parameters`, one after the other, so that one of them is in memory at a time.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import torch
import transformers
from transformers import AutoConfig

from benchmarks.machine import this_machine
from benchmarks.models import TASKS, XLSR_53
from common.command_line import FlagParser
from common.text_tables import format_table
from modeling import ARCHITECTURES, SAMPLING_RATE
from modeling.modeling_encoder_ser import SpeechEncoderMixin

SECONDS, BATCH, ROUNDS = 4.0, 8, 3
_LARGE = XLSR_53
_NO_BIAS = {**_LARGE, "conv_bias": False}
_SIZE = {
    name: _LARGE[name] for name in ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
}
_XLARGE = {**_LARGE, "hidden_size": 1280, "num_hidden_layers": 48, "intermediate_size": 5120}
_XLS_R_2B = {**_XLARGE, "hidden_size": 1920, "intermediate_size": 7680}


def whisper(width: int, layers: int, mel_bins: int = 80) -> dict[str, Any]:
    """Fields of the configuration of a Whisper encoder of this size."""
    return {
        "d_model": width,
        "encoder_layers": layers,
        "encoder_attention_heads": width // 64,
        "encoder_ffn_dim": 4 * width,
        "num_mel_bins": mel_bins,
    }


@dataclass(frozen=True)
class Checkpoint:
    """A published checkpoint.

    Args:
        name: Hub id.
        architecture: of `modeling`.
        fields: where its configuration differs from the defaults of transformers.
    """

    name: str
    architecture: str
    fields: dict[str, Any]

    @property
    def model_class(self) -> type[SpeechEncoderMixin]:
        return ARCHITECTURES[self.architecture]  # type: ignore[return-value]  # an encoder

    def build(self, device: str = "cpu") -> Any:
        """The model, with random weights."""
        backbone = AutoConfig.for_model(self.architecture, **self.fields)
        with torch.device(device):
            return self.model_class(self.model_class.config_from_backbone(backbone, TASKS)).eval()


CHECKPOINTS = (
    Checkpoint("facebook/wav2vec2-base", "wav2vec2", {}),
    Checkpoint("facebook/wav2vec2-large-xlsr-53", "wav2vec2", _LARGE),
    Checkpoint("facebook/wav2vec2-xls-r-300m", "wav2vec2", _LARGE),
    Checkpoint("facebook/wav2vec2-xls-r-1b", "wav2vec2", _XLARGE),
    Checkpoint("facebook/wav2vec2-xls-r-2b", "wav2vec2", _XLS_R_2B),
    Checkpoint("facebook/mms-300m", "wav2vec2", _LARGE),
    Checkpoint("facebook/mms-1b", "wav2vec2", _XLARGE),
    Checkpoint("facebook/hubert-base-ls960", "hubert", {}),
    Checkpoint("facebook/hubert-large-ll60k", "hubert", _LARGE),
    Checkpoint("facebook/hubert-xlarge-ll60k", "hubert", _XLARGE),
    Checkpoint("microsoft/wavlm-base-plus", "wavlm", {}),
    Checkpoint("microsoft/wavlm-large", "wavlm", _NO_BIAS),
    Checkpoint("microsoft/unispeech-sat-base-plus", "unispeech-sat", {}),
    Checkpoint("microsoft/unispeech-sat-large", "unispeech-sat", _LARGE),
    Checkpoint("facebook/data2vec-audio-base", "data2vec-audio", {}),
    Checkpoint("facebook/data2vec-audio-large", "data2vec-audio", _SIZE),
    Checkpoint("facebook/w2v-bert-2.0", "wav2vec2-bert", {}),
    Checkpoint("openai/whisper-tiny", "whisper", whisper(384, 4)),
    Checkpoint("openai/whisper-base", "whisper", whisper(512, 6)),
    Checkpoint("openai/whisper-small", "whisper", whisper(768, 12)),
    Checkpoint("openai/whisper-medium", "whisper", whisper(1024, 24)),
    Checkpoint("openai/whisper-large-v3", "whisper", whisper(1280, 32, 128)),
)
_FRONT_ENDS = {"wav2vec2-bert": "80 Kaldi filter banks", "whisper": "log-mel spectrogram"}


@torch.no_grad()
def seconds_per_second(model: Any, rounds: int = ROUNDS) -> float:
    """Seconds that the model computes for a second of audio, in a batch: the fastest of some rounds after the first."""
    waveforms = torch.randn(BATCH, round(SECONDS * SAMPLING_RATE))
    laps = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        model(waveforms)
        laps.append(time.perf_counter() - start)
    return min(laps[1:]) / (BATCH * SECONDS)


def row(checkpoint: Checkpoint, max_parameters: float) -> tuple[str | None, ...]:
    """The line of the table."""
    model = checkpoint.build("meta")
    encoder = model.speech_encoder
    parameters = sum(parameter.numel() for parameter in encoder.parameters())
    front_end = _FRONT_ENDS.get(
        checkpoint.architecture, f"convolutions, {model.config.to_dict().get('feat_extract_norm')} norm"
    )
    cost = f"{seconds_per_second(checkpoint.build()):.3f}" if parameters <= max_parameters * 1e6 else None
    return (
        f"`{checkpoint.name}`",
        f"`{checkpoint.architecture}`",
        front_end,
        str(len(model.layers)),
        str(encoder.config.hidden_size),
        f"{parameters / 1e6:.0f}",
        f"{4 * parameters / 1e9:.2f}",
        model.config.weight_licenses.get(checkpoint.name, "not stated"),
        cost,
    )


HEADERS = (
    "checkpoint",
    "model_type",
    "front end",
    "layers",
    "width",
    "M parameters",
    "GB",
    "license",
    "s per s of audio",
)


def main() -> None:
    """Runs the command line."""
    parser = FlagParser(description=__doc__)
    parser.add_argument(
        "--max_parameters", type=float, default=1000, metavar="M", help="millions, above which nothing is timed"
    )
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of the processor")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rows = [row(checkpoint, args.max_parameters) for checkpoint in CHECKPOINTS]
    print(format_table(rows, HEADERS, "lllrrrrlr", "github"))
    print(
        f"\nSeconds of computing per second of audio: {BATCH} clips of {SECONDS:g} s at once, float32, {args.threads} "
        f"threads, the fastest of {ROUNDS} rounds, random weights, on {this_machine().kind}; "
        f"torch {torch.__version__}, transformers {transformers.__version__}."
    )


if __name__ == "__main__":
    main()
