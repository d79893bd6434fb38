"""What holds for the model of every family of encoders, each as a small one with random weights."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    PreTrainedModel,
    WhisperFeatureExtractor,
)

from common.checkpoint import load_checkpoint
from modeling import (
    Wav2Vec2BertForMultiTaskSER,
    WhisperForMultiTaskSER,
)
from tests.conftest import TASKS
from tests.support.batches import clips, labels, padded, predictions
from tests.support.small_models import FAMILIES, OPTIONS, Family, build


@pytest.fixture(scope="module", params=FAMILIES)
def family(request) -> Family:
    return FAMILIES[request.param]


@pytest.fixture(scope="module", params=["plain", "all"])
def _model(request, family):
    return build(family, **OPTIONS[request.param])


@pytest.fixture
def model(_model):
    return copy.deepcopy(_model)


def write_published(family: Family, folder: Path) -> PreTrainedModel:
    """A checkpoint as the authors published it: pickled weights, under the old names."""
    torch.manual_seed(1)
    backbone = family.backbone(family.config).eval()
    state = {}
    for name, value in backbone.state_dict().items():
        for new, old in family.old_names.items():
            name = name.replace(new, old)
        state[name] = value.half() if family.half else value
    torch.save(state, folder / "pytorch_model.bin")
    fields = {**family.config.to_dict(), "architectures": [family.backbone.__name__], "gradient_checkpointing": True}
    (folder / "config.json").write_text(json.dumps(fields))
    return backbone.half().float() if family.half else backbone


# ---- outputs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("padding", ["masked", "paper"])
def test_a_clip_gets_the_same_output_alone_and_in_any_batch(family, options, padding):
    model = build(family, padding=padding, **OPTIONS[options])
    alone = torch.cat([predictions(model, clip[None]) for clip in clips()])
    assert alone.std(dim=0).min() > 1e-3  # outputs that differ enough to compare
    values, mask = padded(clips())
    together = predictions(model, torch.where(mask.bool(), values, 99.0), mask)
    torch.testing.assert_close(together[:, :5], alone[:, :5], rtol=0, atol=1e-5)
    torch.testing.assert_close(together[:, 5] / 50, alone[:, 5] / 50, rtol=0, atol=1e-4)


@torch.no_grad()
def test_the_encoder_outputs_what_transformers_own_does(family, tmp_path):
    theirs = write_published(family, tmp_path)
    seconds = 30.0 if family.model is WhisperForMultiTaskSER else 6.0
    ours = family.model.from_backbone(tmp_path, TASKS, max_duration_s=seconds).eval()
    waveform = torch.nn.functional.pad(clips()[3], (0, int(seconds * 16_000) - len(clips()[3])))[None]
    waveform, mask = ours._prepare_input(waveform, None)
    outputs, frame_mask = ours._encode(waveform, mask, output_hidden_states=True)
    assert frame_mask.all()
    if family.model is WhisperForMultiTaskSER:
        extractor = WhisperFeatureExtractor(feature_size=80)
        features = extractor(clips()[3].numpy(), sampling_rate=16_000, return_tensors="pt").input_features
        expected = theirs.model.encoder(features, output_hidden_states=True)
    elif family.model is Wav2Vec2BertForMultiTaskSER:
        features, steps = ours.filter_bank(waveform, mask)
        expected = theirs.wav2vec2_bert(features, attention_mask=steps.long(), output_hidden_states=True)
    else:
        encoder = theirs.get_submodule(family.model.encoder_path)
        expected = encoder(waveform, attention_mask=mask, output_hidden_states=True)
    torch.testing.assert_close(outputs.last_hidden_state, expected.last_hidden_state, rtol=1e-4, atol=1e-4)
    assert len(outputs.hidden_states) == 3
    torch.testing.assert_close(outputs.hidden_states, expected.hidden_states, rtol=1e-4, atol=1e-4)


def test_silence_has_a_finite_output(model):
    assert predictions(model, torch.zeros(2, 8000)).isfinite().all()


def test_bfloat16_stays_near(model):
    exact = predictions(model, *padded(clips()))
    with torch.autocast("cpu", torch.bfloat16):
        assert (predictions(model, *padded(clips()))[:, :5] - exact[:, :5]).abs().max() < 0.1
    output = model.to(torch.bfloat16)(*padded(clips()))
    assert output.logits.dtype == torch.bfloat16
    assert output.logits.isfinite().all()


# ---- training ---------------------------------------------------------------------------------------------------


def gradients(model) -> dict[str, torch.Tensor]:
    model.train()
    model.zero_grad()
    values, mask = padded(clips())
    model(values, mask, labels(len(values))).loss.backward()
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def test_gradient_checkpointing_changes_nothing(model):
    default = gradients(model)
    model.activation_checkpointing_enable()
    torch.testing.assert_close(gradients(model), default)


def expected_to_train(model, part: str) -> set[str]:
    encoder, layers = f"{model.encoder_path}.", f"{model.encoder_path}.{model.layers_path}."
    names = {name for name, _ in model.named_parameters()}
    never = {name for name in names if name.startswith(tuple(f"{module}." for module in model.frozen_modules))}
    frozen = {
        "none": (),
        "feature_encoder": tuple(f"{encoder}{name}." for name in model.feature_encoder),
        "encoder": (encoder,),
        "1": (encoder,),
    }[part]
    trained = {name for name in names if not (frozen and name.startswith(frozen))}
    if part == "1":
        above = (*(f"{layers}{i}." for i in range(1, len(model.layers))), *(encoder + n for n in model.final_modules))
        trained |= {name for name in names if name.startswith(above)}
    return trained - never


@pytest.mark.parametrize("part", ["none", "feature_encoder", "encoder", "1"])
def test_a_step_moves_what_is_not_frozen_and_nothing_else(model, part):
    model.freeze(part)
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert trained == expected_to_train(model, part)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)
    assert gradients(model).keys() == trained
    optimizer.step()
    assert {name for name, weight in model.named_parameters() if not torch.equal(weight, before[name])} >= {
        name
        for name in trained
        if "k_proj.bias" not in name and "linear_k.bias" not in name and "attention_pooling.score.bias" not in name
    }
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters() if name not in trained)


def test_frozen_parts_have_no_dropout_and_no_graph(family):
    model = build(family, num_layers=2)
    model.freeze("1")
    model.train()
    assert model.heads.training
    assert [layer.training for layer in model.layers] == [False, True]
    output = model(*padded(clips()), output_hidden_states=True)
    assert [state.requires_grad for state in output.hidden_states] == [False, False, True]
    model.freeze("encoder")
    assert not any(module.training for module in model.speech_encoder.modules())
    assert not model(*padded(clips()), output_hidden_states=True).hidden_states[-1].requires_grad
    model.freeze("none")
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize("part", ["all", "0", "3", "-1", "1.5"])
def test_another_part_to_freeze_is_refused(family, part):
    with pytest.raises(ValueError, match="--freeze"):
        build(family).freeze(part)


# ---- checkpoints ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", OPTIONS)
def test_a_published_checkpoint_loads_strictly(family, options, tmp_path, caplog):
    backbone = write_published(family, tmp_path)
    model = family.model.from_backbone(tmp_path, TASKS, **OPTIONS[options])
    theirs, encoder = backbone.state_dict(), f"{family.model.encoder_path}."
    ours = {name: value for name, value in model.state_dict().items() if name.startswith(encoder)}
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
    assert len(model.layers) == OPTIONS[options].get("num_layers", 2)
    new = {name.partition(".")[0] for name in model.state_dict() if not name.startswith(encoder)}
    assert new == {"heads"} | {name for name in ("layer_sum", "dense", "attention_pooling") if name in new}
    assert "emotion, gender, f0_mean" in caplog.text
    assert not model.is_activation_checkpointing


def test_a_published_checkpoint_that_lacks_a_weight_is_refused(family, tmp_path):
    write_published(family, tmp_path)
    state = torch.load(tmp_path / "pytorch_model.bin", weights_only=True)
    name = next(name for name in state if name.startswith(f"{family.model.encoder_path}.{family.model.layers_path}.1."))
    del state[name]
    torch.save(state, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match="1 weights") as error:
        family.model.from_backbone(tmp_path, TASKS)
    assert name in str(error.value)
    family.model.from_backbone(tmp_path, TASKS, num_layers=1)  # which has no use for it


@pytest.mark.parametrize("layers", [0, 3])
def test_more_layers_than_there_are_is_refused(family, layers):
    with pytest.raises(ValueError, match="from 1 to 2") as error:
        build(family, num_layers=layers)
    assert str(layers) in str(error.value)


def test_a_checkpoint_loads_bit_for_bit(model, feature_extractor, tmp_path):
    model.save_pretrained(tmp_path)
    feature_extractor.save_pretrained(tmp_path)
    loaded, _ = load_checkpoint(tmp_path)
    assert type(loaded) is type(model)
    assert loaded.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in loaded.state_dict().items())
    # Where a file places a weight in memory decides how some processors sum, so that the last digit may differ.
    torch.testing.assert_close(predictions(loaded, *padded(clips())), predictions(model, *padded(clips())))
    frozen = {name for name, weight in model.named_parameters() if not weight.requires_grad}
    assert {name for name, weight in loaded.named_parameters() if not weight.requires_grad} == frozen


LOAD_ELSEWHERE = """
import sys
sys.modules["modeling"] = sys.modules["preprocessing"] = None  # nothing of the project may be needed
import json, torch
from transformers import AutoModelForAudioClassification
clip, *folders = sys.argv[1:]
waveform = torch.load(clip, weights_only=True)
for folder in folders:
    model = AutoModelForAudioClassification.from_pretrained(folder, trust_remote_code=True)
    print(json.dumps(model(waveform[None]).logits.softmax(-1)[0].tolist()))
"""


@pytest.mark.slow
def test_every_family_loads_elsewhere_with_transformers_alone(feature_extractor, tmp_path):
    torch.save(clips()[2], tmp_path / "clip.pt")
    models = [build(family, **OPTIONS["all"]) for family in FAMILIES.values()]
    for number, model in enumerate(models):
        model.save_pretrained(tmp_path / str(number))
        feature_extractor.save_pretrained(tmp_path / str(number))
    folders = [str(tmp_path / str(number)) for number in range(len(models))]
    done = subprocess.run(
        [sys.executable, "-c", LOAD_ELSEWHERE, str(tmp_path / "clip.pt"), *folders],
        cwd=tmp_path,
        env={**os.environ, "HF_HOME": str(tmp_path / "hf"), "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for model, line in zip(models, done.stdout.splitlines()[-len(models) :], strict=True):
        expected = model(clips()[2][None]).logits.softmax(-1)[0].tolist()
        assert np.abs(np.subtract(json.loads(line), expected)).max() < 1e-5
