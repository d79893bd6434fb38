import copy
import json
import os
import re
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from transformers import AutoModel, AutoModelForAudioClassification, pipeline

from common.checkpoint import load_checkpoint
from modeling import PannsForMultiTaskSER, PannsMultiTaskSERConfig, SpeechEmotionPipeline
from modeling.modeling_base_ser import MultiTaskSERMixin
from modeling.modeling_panns_ser import PUBLISHED
from tests.conftest import ROOT, TASKS, code_of, voice
from tests.support.batches import labels, padded, predictions
from tests.support.small_models import PANNS_CHANNELS, PANNS_SECONDS, panns_config

WIDTHS = (64, 128, 256, 512, 1024, 2048)
CLIPS = [torch.from_numpy(voice(seconds, 100 + 40 * i, i)) for i, seconds in enumerate((0.02, 0.5, 1.3, 2.0, 3.0))]


@pytest.fixture(scope="module")
def _panns() -> PannsForMultiTaskSER:
    """With statistics of speech in its batch norms, as a trained one has them."""
    torch.manual_seed(0)
    model = PannsForMultiTaskSER(panns_config()).train()
    with torch.no_grad():
        for _ in range(25):
            model(*padded(CLIPS))
    return model.eval()


@pytest.fixture
def panns(_panns) -> PannsForMultiTaskSER:
    return copy.deepcopy(_panns)


@pytest.fixture(scope="module")
def saved(_panns, feature_extractor, tmp_path_factory):
    folder = tmp_path_factory.mktemp("panns")
    _panns.save_pretrained(folder)
    feature_extractor.save_pretrained(folder)
    return folder


# ---- the published checkpoint -----------------------------------------------------------------------------------


def published(widths=WIDTHS, window=512) -> dict[str, tuple[int, ...]]:
    """Names and shapes of Cnn14's state in audioset_tagging_cnn's pytorch/models.py, with torchlibrosa's stft.py."""

    def batch_norm(name: str, size: int) -> dict[str, tuple[int, ...]]:
        vectors = ("weight", "bias", "running_mean", "running_var")
        return {**{f"{name}.{vector}": (size,) for vector in vectors}, f"{name}.num_batches_tracked": ()}

    shapes = {
        "spectrogram_extractor.stft.conv_real.weight": (window // 2 + 1, 1, window),
        "spectrogram_extractor.stft.conv_imag.weight": (window // 2 + 1, 1, window),
        "logmel_extractor.melW": (window // 2 + 1, 64),
        **batch_norm("bn0", 64),
    }
    inputs = 1
    for block, width in enumerate(widths, start=1):
        shapes |= {
            f"conv_block{block}.conv1.weight": (width, inputs, 3, 3),
            f"conv_block{block}.conv2.weight": (width, width, 3, 3),
            **batch_norm(f"conv_block{block}.bn1", width),
            **batch_norm(f"conv_block{block}.bn2", width),
        }
        inputs = width
    last = widths[-1]
    return {
        **shapes,
        "fc1.weight": (last, last),
        "fc1.bias": (last,),
        "fc_audioset.weight": (527, last),
        "fc_audioset.bias": (527,),
    }


def random_state(window=512) -> OrderedDict[str, torch.Tensor]:
    torch.manual_seed(1)
    state = OrderedDict()
    for name, shape in published(PANNS_CHANNELS, window).items():
        state[name] = torch.tensor(7) if name.endswith("num_batches_tracked") else torch.rand(shape)
    return state


def write_published(path, state, **kwargs) -> None:
    """As audioset_tagging_cnn's pytorch/main.py writes it, with its balanced sampler's state."""
    sampler = {
        "indexes_per_class": [np.arange(5), np.array([3], dtype=np.int32)],
        "queue": [4, 2, 0],
        "pointers_of_classes": [0, 1],
        "best": {"mAP": np.float64(0.438), "loss": np.float32(0.1), "balanced": np.bool_(True), "class": np.int64(3)},
        "weights": np.linspace(0, 1, 3, dtype=np.float32),
    }
    torch.save({"iteration": 100_000, "model": state, "sampler": sampler}, path, **kwargs)


@pytest.mark.parametrize("window", [512, 1024])
def test_names_and_shapes_are_those_of_the_published_checkpoints(window):
    config = panns_config(channels=WIDTHS, **PUBLISHED[(window // 2 + 1, 1, window)])
    with torch.device("meta"):
        model = PannsForMultiTaskSER(config)
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    heads = {name for name in shapes if name.startswith("heads.")}
    expected = published(window=window)
    assert {name: shapes[name] for name in shapes.keys() - heads} == {
        name: shape for name, shape in expected.items() if not name.startswith("fc_audioset.")
    }
    assert [name for name in shapes if name not in heads] == [name for name in expected if "fc_audioset" not in name]
    # README of audioset_tagging_cnn: 80,753,615 parameters learn, 2048 * 527 + 527 of them in the removed layer.
    learning = sum(p.numel() for name, p in model.named_parameters() if p.requires_grad and name not in heads)
    assert learning == 80_753_615 - 2048 * 527 - 527


@pytest.mark.parametrize("window", [512, 1024])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_published_checkpoint_loads_whole_but_for_the_layer_of_audioset(tmp_path, window, zipped, caplog):
    state = random_state(window)
    path = tmp_path / "Cnn14.pth"
    write_published(path, state, _use_new_zipfile_serialization=zipped)
    model = PannsForMultiTaskSER.from_backbone(path, TASKS, max_duration_s=PANNS_SECONDS, channels=PANNS_CHANNELS)
    found = model.state_dict()
    assert found.keys() - state.keys() == {name for name in found if name.startswith("heads.")}
    assert state.keys() - found.keys() == {"fc_audioset.weight", "fc_audioset.bias"}
    assert all(torch.equal(found[name], state[name]) for name in found.keys() & state.keys())
    assert model.config.sampling_rate == {512: 16_000, 1024: 32_000}[window]
    assert "emotion, gender, f0_mean" in caplog.text
    assert all(head.weight.std() > 0 and head.bias.abs().sum() == 0 for head in model.heads.values())
    assert not any(p.requires_grad for name, p in model.named_parameters() if "extractor" in name)


def test_files_of_numpy_1_and_of_numpy_2_load(tmp_path):
    path = tmp_path / "Cnn14.pth"
    write_published(path, random_state(), _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    for module in (b"numpy.core.multiarray", b"numpy._core.multiarray"):
        written = re.sub(rb"cnumpy\._?core\.multiarray", b"c" + module, content)
        assert written.count(b"c" + module) > 1
        path.write_bytes(written)
        PannsForMultiTaskSER.from_backbone(path, TASKS, channels=PANNS_CHANNELS)


def without(*names):
    return lambda state: [state.pop(name) for name in names]


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (without("conv_block3.bn1.running_var"), r"1 weights .*\(conv_block3.bn1.running_var\)"),
        (without("fc1.weight", "fc1.bias"), r"2 weights .*\(fc1.bias, fc1.weight\)"),
        (lambda state: state.update(att=torch.zeros(2)), r"1 weights .*\(att\)"),
        (lambda state: state.update({"bn0.bias": torch.zeros(32)}), r"1 weights .*\(bn0.bias\)"),
        (
            lambda state: state.update({"spectrogram_extractor.stft.conv_real.weight": torch.zeros(129, 1, 256)}),
            r"\(129, 1, 256\)",
        ),
        (without("spectrogram_extractor.stft.conv_real.weight"), "spectrogram_extractor.stft.conv_real.weight"),
    ],
)
def test_weights_that_do_not_match_are_named(tmp_path, edit, named):
    state = random_state()
    edit(state)
    write_published(tmp_path / "x.pth", state)
    with pytest.raises(ValueError, match=named):
        PannsForMultiTaskSER.from_backbone(tmp_path / "x.pth", TASKS, channels=PANNS_CHANNELS)


class Evil:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_would_run_something_is_rejected_and_runs_nothing(tmp_path, zipped):
    state = {**random_state(), "evil": Evil(str(tmp_path / "ran"))}
    write_published(tmp_path / "x.pth", state, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r"x\.pth"):
        PannsForMultiTaskSER.from_backbone(tmp_path / "x.pth", TASKS)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04"])
def test_a_file_of_another_format_is_rejected(tmp_path, content):
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.pth"):
        PannsForMultiTaskSER.from_backbone(tmp_path / "x.pth", TASKS)


@pytest.mark.parametrize("checkpoint", [[1, 2], {"weights": 1}, {"model": {"a": torch.zeros(1)}}, {"model": 3}])
def test_a_checkpoint_of_another_network_is_rejected(tmp_path, checkpoint):
    torch.save(checkpoint, tmp_path / "x.pth")
    with pytest.raises(ValueError, match=r"spectrogram_extractor.stft.conv_real.weight"):
        PannsForMultiTaskSER.from_backbone(tmp_path / "x.pth", TASKS)


def test_a_missing_file_is_reported_with_the_address_of_the_published_ones(tmp_path):
    with pytest.raises(ValueError, match=r"Cnn14_16k_mAP=0.438.pth and Cnn14_mAP=0.431.pth at .*3987831"):
        PannsForMultiTaskSER.from_backbone(tmp_path / "x.pth", TASKS)


# ---- the network ------------------------------------------------------------------------------------------------


def by_hand(state: dict[str, torch.Tensor], log_mel: torch.Tensor) -> torch.Tensor:
    """The embedding as the publication has it, from its state and the log-mel spectrogram `(batch, frames, bands)`."""

    def normalized(x: torch.Tensor, name: str, axis: int) -> torch.Tensor:
        mean, var, weight, bias = (
            state[f"{name}.{vector}"].reshape([-1 if i == axis else 1 for i in range(4)])
            for vector in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-5).sqrt() * weight + bias

    x = normalized(log_mel[:, None], "bn0", axis=3)
    for block in range(1, 7):
        for layer in (1, 2):
            x = F.conv2d(x, state[f"conv_block{block}.conv{layer}.weight"], padding=1)
            x = normalized(x, f"conv_block{block}.bn{layer}", axis=1).clamp(min=0)
        if block < 6:
            frames, bands = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
            x = x[:, :, :frames, :bands]
            x = (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4
    x = x.mean(dim=3)
    x = x.max(dim=2).values + x.mean(dim=2)
    return (x @ state["fc1.weight"].T + state["fc1.bias"]).clamp(min=0)


@torch.no_grad()
def test_the_embedding_is_the_published_definition(panns):
    for weight in panns.parameters():  # no weight at a value that would hide it
        if weight.requires_grad:
            weight.add_(0.05 * torch.randn_like(weight))
    log_mel = panns._prepare_input(*padded(CLIPS))
    expected = by_hand(panns.state_dict(), log_mel)
    assert expected.std(dim=0).max() > 0.01
    torch.testing.assert_close(panns._embed(log_mel), expected, rtol=1e-4, atol=1e-5)
    output = panns(*padded(CLIPS))
    head = panns.heads["emotion"]
    torch.testing.assert_close(output.logits, expected @ head.weight.T + head.bias, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rate", [16_000, 32_000])
def test_a_clip_gets_the_same_output_alone_and_in_any_batch(panns, rate):
    if rate == 32_000:
        wide = PannsForMultiTaskSER(panns_config(**PUBLISHED[(513, 1, 1024)]))
        learned = {name: value for name, value in panns.state_dict().items() if "extractor" not in name}
        wide.load_state_dict(learned, strict=False)
        panns = wide
    alone = torch.cat([predictions(panns, clip[None]) for clip in CLIPS])
    assert alone.std(dim=0).min() > 1e-3  # outputs that differ enough to compare
    together = predictions(panns, *padded(CLIPS))
    torch.testing.assert_close(together[:, :5], alone[:, :5], rtol=0, atol=1e-5)
    torch.testing.assert_close(together[:, 5] / 50, alone[:, 5] / 50, rtol=0, atol=1e-4)


def test_what_stands_in_the_padding_does_not_matter(panns):
    values, mask = padded(CLIPS)
    noisy = torch.where(mask.bool(), values, float("nan"))
    assert torch.equal(predictions(panns, noisy, mask), predictions(panns, values, mask))


def test_only_the_beginning_is_processed(panns):
    assert torch.equal(predictions(panns, CLIPS[4][None]), predictions(panns, CLIPS[4][None, :32_000]))


@torch.no_grad()
def test_the_level_stays_as_recorded(panns):
    clip = CLIPS[3][None]
    louder = panns._prepare_input(10 * clip, None) - panns._prepare_input(clip, None)
    torch.testing.assert_close(louder, torch.full_like(louder, 20.0), rtol=0, atol=1e-2)
    assert (predictions(panns, 10 * clip) - predictions(panns, clip)).abs().max() > 1e-3


@torch.no_grad()
def test_at_32_khz_the_bands_above_8_khz_are_empty():
    model = PannsForMultiTaskSER(panns_config(**PUBLISHED[(513, 1, 1024)]))
    noise = torch.randn(1, 32_000, generator=torch.Generator().manual_seed(0))
    log_mel = model._prepare_input(noise, None)[0]
    assert log_mel.shape == (201, 64)
    half = 8_000 * 1024 // 32_000
    above = model.logmel_extractor.melW[: half + 4].sum(dim=0) == 0
    below = model.logmel_extractor.melW[half:].sum(dim=0) == 0
    assert above.sum() > 5
    assert below.sum() > 40
    assert log_mel[5:-5, above].max() < -65
    assert log_mel[5:-5, below].min() > -20


def test_silence_and_few_samples_have_finite_outputs(panns):
    assert predictions(panns, torch.zeros(2, 8000)).isfinite().all()
    assert predictions(panns, torch.ones(1, 1)).isfinite().all()


def step(model) -> dict[str, torch.Tensor]:
    """Parameters before a step of training with weight decay."""
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)
    model(*padded(CLIPS), labels(len(CLIPS))).loss.backward()
    optimizer.step()
    return before


def test_a_step_moves_all_that_learns_and_nothing_of_the_front_end(saved):
    for model in (PannsForMultiTaskSER(panns_config()), PannsForMultiTaskSER.from_pretrained(saved)):
        before = step(model)
        frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
        assert frozen == {name for name in before if name.startswith(("spectrogram_extractor", "logmel_extractor"))}
        for name, parameter in model.named_parameters():
            assert torch.equal(parameter, before[name]) == (name in frozen), name


def test_there_is_no_feature_encoder_to_freeze(panns):
    panns.freeze("feature_encoder")
    assert panns.conv_block1.conv1.weight.requires_grad


def test_the_front_end_computes_in_float32_whatever_the_rest_does(panns, saved):
    clips = padded(CLIPS)
    exact = panns._prepare_input(*clips)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(panns._prepare_input(*clips), exact)
        assert (predictions(panns, *clips)[:, :5] - predictions(copy.deepcopy(panns), *clips)[:, :5]).abs().max() < 1e-6
        assert panns(*clips).logits.dtype == torch.bfloat16
    for model in (PannsForMultiTaskSER.from_pretrained(saved, dtype=torch.bfloat16), panns.to(torch.bfloat16)):
        assert model.fc1.weight.dtype == torch.bfloat16
        assert torch.equal(model._prepare_input(*clips), exact)
        assert model(*clips).logits.dtype == torch.bfloat16


def test_new_heads_of_a_model_in_bfloat16_are_too(panns):
    panns.to(torch.bfloat16).replace_heads(TASKS, new=["emotion"])
    assert {weight.dtype for weight in panns.heads.parameters()} == {torch.bfloat16}


def test_a_front_end_that_no_checkpoint_holds_is_computed_and_not_left_to_chance(panns):
    state = {name: value for name, value in panns.state_dict().items() if "extractor" not in name}
    model, info = super(MultiTaskSERMixin, PannsForMultiTaskSER).from_pretrained(
        None, config=panns.config, state_dict=state, output_loading_info=True
    )
    assert len(info["missing_keys"]) == 3
    for name, value in model.state_dict().items():
        assert torch.equal(value, panns.state_dict()[name]), name
    stft = panns.spectrogram_extractor.stft
    assert torch.equal(stft.conv_real.weight, stft.conv_real.filters())
    assert torch.equal(stft.conv_imag.weight, stft.conv_imag.filters())
    assert torch.equal(panns.logmel_extractor.melW, panns.logmel_extractor.filters())


def test_random_weights_are_those_of_the_publication():
    torch.manual_seed(0)
    model = PannsForMultiTaskSER(panns_config(channels=(16, 16, 16, 16, 16, 64)))
    limit = (6 / (64 + 64)) ** 0.5  # Glorot
    assert 0.9 * limit < model.fc1.weight.abs().max() <= limit
    assert model.fc1.bias.abs().sum() == model.bn0.bias.abs().sum() == 0
    assert (model.bn0.weight == 1).all()
    assert (model.bn0.running_var == 1).all()


# ---- checkpoints ------------------------------------------------------------------------------------------------


def test_a_checkpoint_loads_bit_for_bit_and_brings_all_code(saved, panns):
    for model in (
        PannsForMultiTaskSER.from_pretrained(saved),
        AutoModel.from_pretrained(saved),
        AutoModelForAudioClassification.from_pretrained(saved),
        load_checkpoint(saved)[0],
    ):
        assert type(model) is PannsForMultiTaskSER
        assert all(torch.equal(value, panns.state_dict()[name]) for name, value in model.state_dict().items())
    code = code_of("modeling_panns_ser.py", "feature_extraction_logmel_ser.py")
    assert {file.name for file in saved.glob("*.py")} == code
    auto_map = json.loads((saved / "config.json").read_text())["auto_map"]
    assert set(auto_map.values()) == {
        "configuration_ser.PannsMultiTaskSERConfig",
        "modeling_panns_ser.PannsForMultiTaskSER",
    }


def test_both_pipelines_give_the_models_output_in_any_batch(saved, panns):
    ours = pipeline("speech-emotion-recognition", model=str(saved), pipeline_class=SpeechEmotionPipeline)
    stock = pipeline("audio-classification", model=str(saved), top_k=None)
    clips = [clip.numpy() for clip in CLIPS]
    expected = predictions(panns, *padded(CLIPS))
    for row, one, other in zip(
        expected, ours(clips, batch_size=3, vad=False), stock(list(clips), batch_size=2), strict=True
    ):
        scores = dict(zip(TASKS[0].labels, row[:3].tolist(), strict=True))
        assert {entry["label"]: entry["score"] for entry in one["emotion"]} == pytest.approx(scores, abs=1e-5)
        assert {entry["label"]: entry["score"] for entry in other} == pytest.approx(scores, abs=1e-5)
        assert one["f0_mean"]["value"] == pytest.approx(row[5].item(), abs=5e-3)
        assert one["analyzed_s"] <= PANNS_SECONDS


def test_a_config_file_gives_random_weights(tmp_path):
    model = PannsForMultiTaskSER.from_config_file(ROOT / "configs" / "small_panns.json", TASKS, max_duration_s=4.0)
    assert model.max_samples == 64_000
    assert 0.3e6 < sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad) < 0.6e6
    (tmp_path / "x.json").write_text(json.dumps({"model_type": "panns_multitask_ser", "mel_bin": 64}))
    with pytest.raises(ValueError, match=r"mel_bin.*mel_bins"):
        PannsForMultiTaskSER.from_config_file(tmp_path / "x.json", TASKS)


def test_a_model_without_tasks_is_rejected():
    with pytest.raises(ValueError, match="tasks"):
        PannsForMultiTaskSER(PannsMultiTaskSERConfig())
