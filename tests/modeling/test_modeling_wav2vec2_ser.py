import json
import math

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import HubertConfig, Wav2Vec2Config, Wav2Vec2ForCTC, Wav2Vec2ForPreTraining, Wav2Vec2Model

from modeling import Task, Wav2Vec2ForMultiTaskSER
from tests.conftest import TASKS, TINY, code_of, tiny_config, voice
from tests.support.batches import clips, labels, padded, predictions


@pytest.mark.parametrize("padding", ["masked", "paper"])
def test_a_clip_gets_the_same_output_alone_and_in_any_batch(tiny_model, padding):
    tiny_model.config.padding = padding
    alone = torch.cat([predictions(tiny_model, clip[None]) for clip in clips()])
    assert alone.std(dim=0).min() > 1e-3  # outputs that differ enough to compare
    together = predictions(tiny_model, *padded(clips()))
    torch.testing.assert_close(together[:, :5], alone[:, :5], rtol=0, atol=1e-5)
    torch.testing.assert_close(together[:, 5] / 50, alone[:, 5] / 50, rtol=0, atol=1e-4)


def test_level_offset_and_what_stands_in_the_padding_do_not_matter(tiny_model):
    values, mask = padded(clips())
    louder = torch.where(mask.bool(), 7 * values + 0.5, 99.0)
    torch.testing.assert_close(
        predictions(tiny_model, louder, mask), predictions(tiny_model, values, mask), rtol=1e-4, atol=1e-4
    )


def test_only_the_beginning_is_processed(tiny_model):
    beginning = torch.from_numpy(voice(6.0, 150))[None]
    longer = torch.cat([beginning, torch.from_numpy(voice(3.0, 400))[None]], dim=1)
    torch.testing.assert_close(predictions(tiny_model, longer), predictions(tiny_model, beginning), rtol=0, atol=1e-5)


def test_padding_as_in_the_paper_averages_the_zeros_too(tiny_model):
    clip = clips()[1][None]
    masked = predictions(tiny_model, clip)
    tiny_model.config.padding = "paper"
    assert not torch.allclose(predictions(tiny_model, clip), masked, atol=1e-3)


def test_silence_has_a_finite_output(tiny_model):
    assert predictions(tiny_model, torch.zeros(2, 8000)).isfinite().all()


def test_logits_are_the_emotion_head(tiny_model):
    output = tiny_model(clips()[2][None])
    assert output.logits is output.task_logits["emotion"]
    assert output.logits.shape == (1, 3)
    assert output.loss is None


def gradients(model, **kwargs) -> dict[str, torch.Tensor]:
    model.train()
    model.zero_grad()
    values, mask = padded(clips())
    model(values, mask, labels(len(values)), **kwargs).loss.backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


def test_every_weight_gets_a_gradient(tiny_model):
    found = gradients(tiny_model)
    # Attention does not see a bias that all keys share.
    assert {name for name, _ in tiny_model.named_parameters()} == found.keys()
    assert all(gradient.abs().sum() > 0 for name, gradient in found.items() if "k_proj.bias" not in name)


def test_gradient_checkpointing_changes_nothing(tiny_model):
    default = gradients(tiny_model)
    tiny_model.activation_checkpointing_enable()
    torch.testing.assert_close(gradients(tiny_model), default)


def test_sdpa_equals_eager_attention(tiny_model):
    assert tiny_model.config._attn_implementation == "sdpa"
    fast = predictions(tiny_model, *padded(clips()))
    tiny_model.set_attn_implementation("eager")
    torch.testing.assert_close(predictions(tiny_model, *padded(clips())), fast, rtol=1e-4, atol=1e-5)


def test_bfloat16_autocast_trains_and_stays_near(tiny_model):
    exact = predictions(tiny_model, *padded(clips()))
    with torch.autocast("cpu", torch.bfloat16):
        near = predictions(tiny_model, *padded(clips()))
        assert all(gradient.isfinite().all() for gradient in gradients(tiny_model).values())
    assert (near[:, :5] - exact[:, :5]).abs().max() < 0.05


def test_a_bfloat16_model_takes_float32_input(tiny_model):
    output = tiny_model.to(torch.bfloat16)(*padded(clips()))
    assert output.logits.dtype == torch.bfloat16
    assert output.logits.isfinite().all()


def test_specaugment_trains_on_clips_shorter_than_its_span():
    model = Wav2Vec2ForMultiTaskSER(tiny_config(mask_time_prob=0.5)).train()
    output = model(torch.randn(2, 1600), labels=labels(2))
    output.loss.backward()
    assert model.wav2vec2.masked_spec_embed.grad is not None


def test_freezing_leaves_the_feature_encoder_alone(tiny_model):
    tiny_model.freeze("feature_encoder")
    frozen = {name for name, parameter in tiny_model.named_parameters() if not parameter.requires_grad}
    assert frozen == {name for name, _ in tiny_model.named_parameters() if ".feature_extractor." in name}


def test_the_size_of_xlsr_53():
    large = {
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "intermediate_size": 4096,
        "conv_bias": True,
        "do_stable_layer_norm": True,
        "feat_extract_norm": "layer",
    }
    with torch.device("meta"):
        for mask_time_prob, size in ((0.075, 315_438_720), (0.0, 315_437_696)):
            backbone = Wav2Vec2Config(**large, mask_time_prob=mask_time_prob)
            config = Wav2Vec2ForMultiTaskSER.config_from_backbone(backbone, TASKS, mask_time_prob=mask_time_prob)
            model = Wav2Vec2ForMultiTaskSER(config)
            assert sum(parameter.numel() for parameter in model.wav2vec2.parameters()) == size
    assert model.min_samples == 400


# ---- loading ----------------------------------------------------------------------------------------------------


def write_like_xlsr_53(folder, config: Wav2Vec2Config, without: str = "\0") -> Wav2Vec2ForPreTraining:
    """A checkpoint as `facebook/wav2vec2-large-xlsr-53` is laid out: pickled weights under the old names."""
    torch.manual_seed(1)
    model = Wav2Vec2ForPreTraining(config)
    state = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): value
        for name, value in model.state_dict().items()
        if without not in name
    }
    assert "wav2vec2.encoder.pos_conv_embed.conv.weight_g" in state
    folder.mkdir()
    torch.save(state, folder / "pytorch_model.bin")
    fields = {**config.to_dict(), "architectures": ["Wav2Vec2ForPreTraining"], "gradient_checkpointing": True}
    (folder / "config.json").write_text(json.dumps(fields))
    return model


def test_a_backbone_gets_new_heads_and_reports_them(tmp_path, caplog):
    config = Wav2Vec2Config(**TINY, mask_time_prob=0.075, layerdrop=0.1)
    backbone = write_like_xlsr_53(tmp_path / "xlsr", config)
    model = Wav2Vec2ForMultiTaskSER.from_backbone(tmp_path / "xlsr", TASKS)
    expected = backbone.wav2vec2.state_dict()
    del expected["masked_spec_embed"]  # SpecAugment is off
    assert model.wav2vec2.state_dict().keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in model.wav2vec2.state_dict().items())
    assert "emotion, gender, f0_mean" in caplog.text
    assert (model.config.layerdrop, model.config.mask_time_prob) == (0.0, 0.0)
    assert not model.is_activation_checkpointing
    assert all(head.weight.std() > 0 and head.weight.isfinite().all() for head in model.heads.values())


def test_specaugment_keeps_the_backbones_mask_vector(tmp_path):
    backbone = write_like_xlsr_53(tmp_path / "xlsr", Wav2Vec2Config(**TINY, mask_time_prob=0.075))
    model = Wav2Vec2ForMultiTaskSER.from_backbone(tmp_path / "xlsr", TASKS, mask_time_prob=0.05)
    assert torch.equal(model.wav2vec2.masked_spec_embed, backbone.wav2vec2.masked_spec_embed)


@pytest.mark.parametrize("architecture", [Wav2Vec2Model, Wav2Vec2ForCTC])
def test_other_heads_on_the_backbone_do_not_matter(tmp_path, architecture):
    backbone = architecture(Wav2Vec2Config(**TINY, mask_time_prob=0.0))
    backbone.save_pretrained(tmp_path)
    model = Wav2Vec2ForMultiTaskSER.from_backbone(tmp_path, TASKS)
    reference = backbone.state_dict()
    name = "encoder.layers.1.attention.q_proj.weight"
    assert torch.equal(model.wav2vec2.state_dict()[name], reference.get(name, reference.get(f"wav2vec2.{name}")))


def test_a_backbone_that_lacks_a_weight_is_rejected(tmp_path):
    write_like_xlsr_53(tmp_path / "xlsr", Wav2Vec2Config(**TINY), without="layers.1.attention.q_proj.weight")
    with pytest.raises(ValueError, match=r"1 weights .*layers.1.attention.q_proj.weight"):
        Wav2Vec2ForMultiTaskSER.from_backbone(tmp_path / "xlsr", TASKS)


def test_another_architecture_is_named(tmp_path):
    HubertConfig().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="'hubert'"):
        Wav2Vec2ForMultiTaskSER.from_backbone(tmp_path, TASKS)


def test_a_whole_checkpoint_loads_bit_for_bit(checkpoint, _tiny_model):  # noqa: PT019
    model = Wav2Vec2ForMultiTaskSER.from_pretrained(checkpoint)
    expected = _tiny_model.state_dict()
    assert model.state_dict().keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in model.state_dict().items())


def edit_weights(checkpoint, folder, edit) -> None:
    for file in checkpoint.iterdir():
        if file.is_file():
            (folder / file.name).write_bytes(file.read_bytes())
    weights = load_file(folder / "model.safetensors")
    edit(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def test_a_missing_head_is_an_error(checkpoint, tmp_path):
    edit_weights(checkpoint, tmp_path, lambda weights: weights.pop("heads.gender.weight"))
    with pytest.raises(ValueError, match=r"1 missing keys \(heads.gender.weight"):
        Wav2Vec2ForMultiTaskSER.from_pretrained(tmp_path)


def test_a_head_too_many_is_an_error(checkpoint, tmp_path):
    edit_weights(checkpoint, tmp_path, lambda weights: weights.update({"heads.age.weight": torch.zeros(1, 16)}))
    with pytest.raises(ValueError, match=r"1 unexpected keys \(heads.age.weight"):
        Wav2Vec2ForMultiTaskSER.from_pretrained(tmp_path)


def test_a_head_of_another_size_is_an_error(checkpoint, tmp_path):
    edit_weights(checkpoint, tmp_path, lambda weights: weights.update({"heads.gender.weight": torch.zeros(5, 16)}))
    with pytest.raises(ValueError, match=r"1 mismatched keys .*heads.gender.weight"):
        Wav2Vec2ForMultiTaskSER.from_pretrained(tmp_path)


def test_a_backbone_is_not_a_checkpoint(tmp_path):
    Wav2Vec2Model(Wav2Vec2Config(**TINY)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="from_backbone"):
        Wav2Vec2ForMultiTaskSER.from_pretrained(tmp_path)


def test_new_heads_are_just_those_named(tiny_model):
    before = {name: value.clone() for name, value in tiny_model.state_dict().items()}
    moods = Task("emotion", "classification", "emotion", labels=("calm", "tense"))
    tiny_model.replace_heads([moods, *TASKS[1:]], new=["emotion"])
    after = tiny_model.state_dict()
    same = {name for name in before if name in after and torch.equal(before[name], after[name])}
    assert before.keys() - same == {"heads.emotion.weight", "heads.emotion.bias"}
    assert after["heads.emotion.weight"].shape == (2, 16)
    assert tiny_model.config.id2label == {0: "calm", 1: "tense"}


def test_a_new_head_for_the_same_labels_is_new_all_the_same(tiny_model):
    before = tiny_model.heads["emotion"].weight.clone()
    tiny_model.replace_heads(TASKS, new=["emotion"])
    assert not torch.equal(tiny_model.heads["emotion"].weight, before)


@pytest.mark.parametrize(
    "task",
    [
        Task("emotion", "classification", "emotion", labels=("calm", "tense")),
        Task("valence", "regression", "valence"),
    ],
)
def test_a_head_that_does_not_fit_is_an_error_unless_named(tiny_model, task):
    with pytest.raises(ValueError, match=f"--reset_heads {task.name}"):
        tiny_model.replace_heads([task], new=[])


def test_a_model_without_tasks_is_rejected():
    with pytest.raises(ValueError, match="tasks"):
        Wav2Vec2ForMultiTaskSER(tiny_config(tasks=()))


def test_all_code_travels_with_a_checkpoint(checkpoint):
    own = (
        *("modeling_encoder_ser.py", "modeling_waveform_encoder_ser.py", "modeling_wav2vec2_ser.py"),
        "masked_group_norm_ser.py",
    )
    assert {file.name for file in checkpoint.glob("*.py")} == code_of(*own)
    auto_map = json.loads((checkpoint / "config.json").read_text())["auto_map"]
    assert auto_map == {
        "AutoConfig": "modeling_wav2vec2_ser.Wav2Vec2MultiTaskSERConfig",
        "AutoModel": "modeling_wav2vec2_ser.Wav2Vec2ForMultiTaskSER",
        "AutoModelForAudioClassification": "modeling_wav2vec2_ser.Wav2Vec2ForMultiTaskSER",
    }


def test_loss_of_missing_labels_is_finite(tiny_model):
    values, mask = padded(clips())
    nothing = {
        "emotion": torch.full((5,), -100),
        "gender": torch.full((5,), -100),
        "f0_mean": torch.full((5,), math.nan),
    }
    assert tiny_model(values, mask, nothing).loss.item() == 0.0


def test_a_tuple_is_returned_where_one_is_asked_for(tiny_model):
    clip = clips()[2][None]
    logits, task_logits, _ = tiny_model(clip, return_dict=False)
    torch.testing.assert_close(logits, tiny_model(clip).logits)
    assert len(task_logits) == len(TASKS)
