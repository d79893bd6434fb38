"""Published checkpoints at a small size, both kinds of norm; what holds for a family is in test_encoders.py."""

import pytest
import torch
from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2FeatureExtractor

from inference.engine.onnx_backend import onnx_network
from inference.engine.torch_backend import torch_network
from inference.onnx.graph import write_float32
from inference.onnx.parity import compare, synthetic_clips
from modeling import SAMPLING_RATE
from tests.conftest import TASKS, voice
from tests.support.batches import labels, padded
from tests.support.published_encoders import PUBLISHED

LENGTHS = (300, 5_000, 16_001, 40_000, 96_000)
every = pytest.mark.parametrize("name", PUBLISHED)
SLOPPY_MASKS = pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")  # of transformers' WavLM
pytestmark = SLOPPY_MASKS


def clips() -> list[torch.Tensor]:
    """Vowels with as much noise as a room has."""
    random = torch.Generator().manual_seed(0)
    noise = [0.03 * torch.randn(n, generator=random) for n in LENGTHS]
    vowels = [torch.from_numpy(voice(n / SAMPLING_RATE, 100 + 40 * i, i)) for i, n in enumerate(LENGTHS)]
    return [0.3 * vowel + hiss for vowel, hiss in zip(vowels, noise, strict=True)]


@torch.no_grad()
def predictions(model, values, mask=None) -> torch.Tensor:
    """Probabilities, and numbers in standard deviations."""
    output = model(values, mask)
    decoded = [task.decode(output.task_logits[task.name]).reshape(len(values), -1) for task in TASKS]
    return torch.cat([*decoded[:2], decoded[2] / TASKS[2].std], dim=1)


@every
@pytest.mark.parametrize("fields", [{}, {"layer_weights": True}], ids=["last", "layer_weights"])
def test_a_clip_gets_the_same_output_alone_and_with_six_seconds(name, fields):
    model = PUBLISHED[name].model(**fields)
    alone = torch.cat([predictions(model, clip[None]) for clip in clips()])
    assert alone.std(dim=0).median() > 1e-2  # outputs that differ enough to compare
    torch.testing.assert_close(predictions(model, *padded(clips())), alone, rtol=0, atol=1e-5)


@every
def test_what_stands_in_the_padding_does_not_matter(name):
    model = PUBLISHED[name].model()
    values, mask = padded(clips())
    noisy = torch.where(mask.bool(), values, 99.0)
    torch.testing.assert_close(predictions(model, noisy, mask), predictions(model, values, mask), rtol=0, atol=1e-5)


@every
def test_a_published_checkpoint_loads_and_exactly_the_heads_are_new(name, tmp_path, caplog):
    published = PUBLISHED[name]
    state = published.write(tmp_path)
    if published.old_names and published.architecture != "data2vec-audio":  # which has no weight norm
        assert any("parametrizations" in key for key in state)
        assert b"weight_g" in (tmp_path / "model.safetensors").read_bytes()
    model = published.model_class.from_backbone(tmp_path, TASKS)
    prefix = f"{model.encoder_path}."
    own = {key: value for key, value in model.state_dict().items() if not key.startswith("heads.")}
    assert own
    for key, value in own.items():
        assert key.startswith(prefix)
        assert torch.equal(value, state[key if key in state else key.removeprefix(prefix)]), key
    assert "emotion, gender, f0_mean." in caplog.text
    assert "layers:" not in caplog.text
    assert (model.config.layerdrop, model.config.mask_time_prob) == (0.0, 0.0)


@every
@torch.no_grad()
def test_the_encoder_computes_what_transformers_computes(name, tmp_path):
    """From the waveform on, with transformers' own feature extractor."""
    published = PUBLISHED[name]
    published.write(tmp_path)
    model = published.model_class.from_backbone(tmp_path, TASKS).eval()
    bert = published.architecture == "wav2vec2-bert"
    extractor = SeamlessM4TFeatureExtractor() if bert else Wav2Vec2FeatureExtractor(do_normalize=True)
    for clip in clips()[1:]:
        inputs = extractor(clip.numpy(), sampling_rate=SAMPLING_RATE, return_tensors="pt")
        frames = published.reference(tmp_path)(**inputs).last_hidden_state[0]
        if bert:
            frames = frames[: int(inputs["attention_mask"].sum())]
        tolerance = 1e-4 if bert else 1e-5
        torch.testing.assert_close(model(clip[None]).embeddings[0], frames.mean(dim=0), rtol=0, atol=tolerance)


@every
def test_specaugment_can_be_on(name, tmp_path):
    PUBLISHED[name].write(tmp_path)
    model = PUBLISHED[name].model_class.from_backbone(tmp_path, TASKS, mask_time_prob=0.5).train()
    assert model.speech_encoder.masked_spec_embed.isfinite().all()
    model(*padded(clips()), labels=labels(5)).loss.backward()
    assert model.speech_encoder.masked_spec_embed.grad.any()
    model(clips()[0][None], labels=labels(1)).loss.backward()  # shorter than a masked span


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "wav2vec2-base",  # for its group norm; tests/inference/onnx/test_graph.py exports other families
        *(
            pytest.param(name, marks=pytest.mark.stress)
            for name in (
                *("hubert-base-ls960", "wavlm-large", "unispeech-sat-large"),
                *("data2vec-audio-base-960h", "w2v-bert-2.0"),
            )
        ),
    ],
)
def test_onnx_computes_the_same(name, tmp_path):
    model = PUBLISHED[name].model()
    write_float32(model, tmp_path / "model.onnx")
    networks = {"torch": torch_network(model), "onnx": onnx_network(tmp_path / "model.onnx")}
    found = compare(networks, TASKS, synthetic_clips(model.config.max_duration_s))["onnx"]["max_difference"]
    assert found.keys() == {task.name for task in TASKS}
    assert max(found.values()) <= 1e-4
