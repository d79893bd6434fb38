import pytest
import torch
from transformers import WhisperFeatureExtractor, WhisperModel
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from modeling import WhisperForMultiTaskSER
from tests.conftest import TASKS, voice
from tests.support.batches import clips, padded
from tests.support.small_models import FAMILIES, build


@torch.no_grad()
def test_the_published_weights_compute_what_transformers_computes(real_whisper):
    model = WhisperForMultiTaskSER.from_backbone(real_whisper, TASKS, max_duration_s=30.0).eval()
    theirs = WhisperEncoder.from_pretrained(real_whisper, dtype=torch.float32, key_mapping={r"^model\.encoder\.": ""})
    clip = voice(6.0, 150)
    features = WhisperFeatureExtractor()(clip, sampling_rate=16_000, return_tensors="pt").input_features
    expected = theirs.eval()(features).last_hidden_state
    waveform = torch.nn.functional.pad(torch.from_numpy(clip)[None], (0, 480_000 - clip.size))
    found = model._encode(waveform, torch.ones(1, 480_000).long())[0].last_hidden_state
    assert expected.std() > 0.5
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)  # of values up to 24
    assert sum(weight.numel() for weight in model.speech_encoder.parameters()) == 20_590_592


@torch.no_grad()
def test_the_published_weights_compute_the_same_alone_and_in_a_batch(real_whisper):
    model = WhisperForMultiTaskSER.from_backbone(real_whisper, TASKS, num_layers=4).eval()
    assert len(model.layers) == 4
    alone = torch.cat([model(clip[None]).logits for clip in clips()])
    torch.testing.assert_close(model(*padded(clips())).logits, alone, rtol=0, atol=1e-5)


@torch.no_grad()
def test_a_clip_costs_its_own_length():
    model = build(FAMILIES["whisper"])
    assert model(clips()[2][None], output_hidden_states=True).hidden_states[0].shape == (1, 50, 16)


@pytest.mark.parametrize("prefix", ["", "model."])
def test_a_bare_encoder_and_decoder_loads_too(tmp_path, prefix):
    whole = FAMILIES["whisper"].backbone(FAMILIES["whisper"].config)
    backbone = whole if prefix else whole.model
    assert prefix or isinstance(backbone, WhisperModel)
    backbone.save_pretrained(tmp_path)
    model = WhisperForMultiTaskSER.from_backbone(tmp_path, TASKS)
    expected = backbone.state_dict()[f"{prefix}encoder.layers.1.fc1.weight"]
    assert torch.equal(model.layers[1].fc1.weight, expected)


def test_more_than_30_s_is_refused():
    with pytest.raises(ValueError, match="max_duration_s"):
        build(FAMILIES["whisper"], max_duration_s=31)


def test_the_table_of_positions_is_never_trained():
    model = build(FAMILIES["whisper"])
    for part in ("none", "feature_encoder", "1"):
        model.freeze(part)
        assert not model.speech_encoder.embed_positions.weight.requires_grad
