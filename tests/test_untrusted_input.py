"""Untrusted files: whatever they hold, none of it is run, and what is invalid is refused with the reason."""

import io
import json
import os
import pickle
import shutil
import zipfile

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest
import torch
from transformers import BertConfig, HubertConfig, Wav2Vec2Config, Wav2Vec2FeatureExtractor, WhisperConfig

from common.checkpoint import load_checkpoint
from common.training_clips import training_protocol
from common.training_record import read_training_record
from inference.engine.predictor import load_predictor
from modeling import AudioReader, PannsForMultiTaskSER, Wav2Vec2ForMultiTaskSER
from modeling.configuration_ser import SER_FORMAT
from preprocessing.clip import MISSING_FILE
from preprocessing.corpora.catalog import read_sources
from preprocessing.corpora.scan import Source, scan
from preprocessing.corpora.user_audio import NOT_AUDIO, UserAudio, read_table
from preprocessing.labels import load_label_rules, load_speaker_genders
from preprocessing.prepared.load import load_prepared
from preprocessing.prepared.parts import FORMAT
from publishing.export import export_checkpoint
from tests.conftest import TASKS, TINY, tiny_config
from tests.publishing.conftest import training_record
from training.arguments.parse import parse_args
from training.arguments.settings import ModelArguments
from training.model import build_model

pytestmark = pytest.mark.slow


@pytest.fixture
def payload(tmp_path):
    """Something that, unpickled or run as code, leaves a mark; at the end there must be none."""
    mark = tmp_path / "mark"

    class Payload:
        command = f"touch {mark}"

        def __reduce__(self):
            return os.system, (self.command,)

    yield Payload()
    assert not mark.exists()


def refuse(what, *arguments):
    """The message of the refusal."""
    with pytest.raises(ValueError, match=r"\w") as error:
        what(*arguments)
    assert "weights_only" not in str(error.value)  # nobody is advised to run it after all
    return str(error.value)


def folder_of(config, folder):
    config.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=False, return_attention_mask=True).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("config", "of_a_checkpoint", "as_a_backbone"),
    [
        (Wav2Vec2Config(**TINY, architectures=["Wav2Vec2ForCTC"]), "is a 'wav2vec2' checkpoint, not one that", None),
        (
            Wav2Vec2Config(**{**TINY, "add_adapter": True}),
            "is a 'wav2vec2' checkpoint, not one that train.py wrote",
            "add_adapter",
        ),
        (WhisperConfig(), "is a 'whisper' checkpoint, not one that train.py wrote", "'whisper'"),
        (HubertConfig(), "is a 'hubert' checkpoint, not one that train.py wrote", "'hubert'"),
        (BertConfig(), "is a 'bert' checkpoint, not one that train.py wrote", "'bert'"),
    ],
    ids=["ctc", "adapter", "whisper", "hubert", "bert"],
)
def test_another_architecture_is_named(config, of_a_checkpoint, as_a_backbone, tmp_path):
    folder = folder_of(config, tmp_path / "other")
    assert of_a_checkpoint in refuse(load_checkpoint, folder)
    if as_a_backbone:
        assert as_a_backbone in refuse(Wav2Vec2ForMultiTaskSER.from_backbone, folder, TASKS)


@pytest.mark.parametrize(
    "config",
    [
        *("[]", "3", "{}", '{"model_type": ["a"]}', "[" * 100_000),
        *(
            json.dumps({"model_type": "wav2vec2_multitask_ser", "ser_format": SER_FORMAT, **fields})
            for fields in (
                {"tasks": 3},
                {"tasks": [{"name": "x"}]},
                {"tasks": [{**TASKS[0].to_dict(), "name": "../x"}]},
                {"tasks": [{**TASKS[0].to_dict(), "more": 1}]},
                {"tasks": [TASKS[0].to_dict()], "hidden_size": -3},
                {"tasks": [TASKS[0].to_dict()], "max_duration_s": float("inf")},
                {"tasks": [TASKS[0].to_dict()], "conv_dim": "many"},
            )
        ),
    ],
)
def test_an_invalid_configuration_is_refused(config, checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "strange")
    (folder / "config.json").write_text(config)
    assert refuse(load_checkpoint, folder).startswith(f"{folder} ")


def test_weights_that_are_code_are_not_run(tiny_model, payload, tmp_path):
    ours, backbone = folder_of(tiny_config(), tmp_path / "ours"), folder_of(Wav2Vec2Config(**TINY), tmp_path / "theirs")
    file = tmp_path / "Cnn14_16k_mAP=0.438.pth"
    for write in (
        lambda path: torch.save({**tiny_model.state_dict(), "more": payload}, path),
        lambda path: path.write_bytes(pickle.dumps(payload)),
    ):
        for folder in (ours, backbone):
            write(folder / "pytorch_model.bin")
        write(file)
        assert "model.safetensors" in refuse(load_checkpoint, ours)
        message = refuse(Wav2Vec2ForMultiTaskSER.from_backbone, backbone, TASKS)
        assert str(backbone) in message
        assert file.name in refuse(PannsForMultiTaskSER.from_backbone, file, TASKS)
    (ours / "model.safetensors").write_bytes(pickle.dumps(payload))
    assert str(ours) in refuse(load_checkpoint, ours)


@pytest.mark.parametrize("index", ["[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": 3}}', "{"])
def test_an_invalid_index_of_weights_is_refused(index, checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "strange")
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(index)
    assert str(folder) in refuse(load_checkpoint, folder)
    assert "model.safetensors.index.json" in refuse(export_checkpoint, folder, tmp_path / "out", "a/b")


def test_code_in_the_folder_of_a_checkpoint_is_run_by_no_job(checkpoint, payload, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "strange")
    code = f"import os\nos.system({payload.command!r})\n"
    for name in ("__init__", "configuration_ser", "modeling_wav2vec2_ser", "pipeline_ser", "sitecustomize", "evil"):
        (folder / f"{name}.py").write_text(code)
    load_predictor(str(folder))
    build_model(ModelArguments(model_name_or_path=str(folder), reset_heads=["emotion", "gender"]), list(TASKS), 6.0)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    auto = {auto: f"evil.{auto}" for auto in ("AutoConfig", "AutoModel", "AutoFeatureExtractor")}
    for file, fields in (("config.json", {"model_type": "evil"}), ("preprocessor_config.json", {})):
        (foreign / file).write_text(json.dumps({**fields, "auto_map": auto}))
    (foreign / "evil.py").write_text(code)
    for job in (load_predictor, lambda name: build_model(ModelArguments(model_name_or_path=name), list(TASKS), 6.0)):
        assert str(foreign) in refuse(job, str(foreign))
    shutil.copy(foreign / "preprocessor_config.json", folder)
    assert "trust_remote_code" not in refuse(load_checkpoint, folder)


@pytest.mark.parametrize(
    "read",
    [
        load_label_rules,
        load_speaker_genders,
        read_sources,
        lambda path: training_protocol(path.parent),
        lambda path: parse_args(["--config", str(path)]),
    ],
    ids=["--label_rules", "--speaker_genders", "--corpora", "train_config.yaml", "--config"],
)
@pytest.mark.parametrize("text", ["code", "bomb", "not utf-8"])
def test_yaml_that_is_code_is_not_run(read, text, payload, tmp_path):
    bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    bomb += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefghi", "bcdefghij", strict=True)]
    content = {
        "code": f"!!python/object/apply:os.system [{payload.command!r}]".encode(),
        "bomb": "\n".join(bomb).encode(),  # a thousand million entries, were it written out
        "not utf-8": b"a: \xff\xfe",
    }[text]
    (tmp_path / "train_config.yaml").write_bytes(content)
    assert len(refuse(read, tmp_path / "train_config.yaml")) < 2000


def extension(payload) -> pa.Table:
    """A table whose schema carries a type that old pyarrow unpickled."""
    kind = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": pickle.dumps(payload)}
    field = pa.field("path", pa.string(), metadata=kind)
    return pa.table([pa.array(["a.wav"])], schema=pa.schema([field]))


def test_tables_that_are_code_are_not_run(payload, prepared, tmp_path):
    pyarrow.parquet.write_table(extension(payload), tmp_path / "clips.parquet")
    [row] = read_table(tmp_path / "clips.parquet", UserAudio())
    assert row.reason == MISSING_FILE
    folder = shutil.copytree(prepared, tmp_path / "prepared")
    [table, *_] = (folder / "clips").glob("*/table/*.arrow")
    with pa.ipc.new_stream(table, extension(payload).schema) as stream:
        stream.write_table(extension(payload))
    assert str(folder) in refuse(load_prepared, folder, "paper")
    table.write_bytes(pickle.dumps(payload))
    assert str(folder) in refuse(load_prepared, folder, "paper")
    (table.parent / "state.json").write_text("[]")
    assert str(folder) in refuse(load_prepared, folder, "paper")


@pytest.mark.parametrize(
    "report",
    ["[]", "{", "{}", f'{{"format": {FORMAT}, "parts": 3}}', f'{{"format": {FORMAT}, "parts": ["../.."]}}'],
)
def test_an_invalid_prepared_folder_is_refused(report, prepared, tmp_path):
    folder = shutil.copytree(prepared, tmp_path / "prepared")
    (folder / "report.json").write_text(report)
    assert str(folder) in refuse(load_prepared, folder, "paper")
    shutil.copy(prepared / "report.json", folder)
    (folder / "splits" / "paper.json").write_text(report)
    assert "paper.json" in refuse(load_prepared, folder, "paper")


def test_a_folder_of_audio_with_a_loading_script_is_a_folder_of_audio(payload, tmp_path):
    for name in ("corpus/corpus.py", "corpus/__init__.py", "corpus/angry/load.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"import os\nos.system({payload.command!r})\n")
    (tmp_path / "corpus/angry/a.wav").write_bytes(b"")
    entries = scan([Source("folder", tmp_path / "corpus")], user_audio=UserAudio(locale="en-US"))
    assert {getattr(entry, "reason", None) for entry in entries} == {None, NOT_AUDIO}


@pytest.mark.parametrize("name", ["clips.csv", "clips.parquet", "clips.jsonl", "clips.csv.zip", "clips.zip", "a.wav"])
def test_an_archive_is_never_unpacked(name, tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../slipped.csv", "path\na.wav\n")
        archive.writestr("bomb.csv", bytes(50_000_000))
    (tmp_path / name).write_bytes(content.getvalue())
    assert refuse(AudioReader, tmp_path / name)
    assert refuse(lambda: [*read_table(tmp_path / name, UserAudio())])
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert not (tmp_path.parent / "slipped.csv").exists()


@pytest.mark.parametrize(
    "path", ["../secret.wav", "/etc/secret.wav", "a/../../secret.wav", "link.wav", "links/secret.wav"]
)
def test_a_table_names_no_file_outside_of_its_folder(path, tmp_path):
    """Unless `--audio_folder` allows it. Links count by where they lead."""
    home = tmp_path / "mine"
    home.mkdir()
    (tmp_path / "secret.wav").write_bytes(b"")
    (home / "link.wav").symlink_to(tmp_path / "secret.wav")
    (home / "links").symlink_to(tmp_path)
    (home / "clips.csv").write_text(f"path\ninside.wav\n{path}\n")
    message = refuse(lambda: [*read_table(home / "clips.csv", UserAudio())])
    assert message.startswith(f"{home / 'clips.csv'}, row 2: {path!r} ")
    assert "--audio_folder" in message
    if not path.startswith("/"):
        (home / "clips.csv").write_text(f"path\nmine/{path}\n")
        [clip] = read_table(home / "clips.csv", UserAudio(audio_folder=".."))
        assert clip.path.resolve() == tmp_path / "secret.wav"


RECORD = training_record()


@pytest.mark.parametrize(
    "record",
    [
        "[" * 100_000,
        "{",
        *map(
            json.dumps,
            (
                [],
                {**RECORD, "locales": 3},
                {**RECORD, "data": [{**RECORD["data"][0], "homepage": "javascript:alert(1)"}]},
                {**RECORD, "data": [{**RECORD["data"][0], "commercial": "yes"}]},
                {**RECORD, "data": {}},
                {**RECORD, "hardware": {}},
                {**RECORD, "before": {"before": {}}},
            ),
        ),
    ],
)
def test_the_record_of_an_untrusted_training_is_checked(record, tmp_path):
    (tmp_path / "training.json").write_text(record)
    assert str(tmp_path / "training.json") in refuse(read_training_record, tmp_path / "training.json")


def test_facts_are_taken_without_what_else_is_there(tmp_path):
    before = {**RECORD, "before": RECORD}
    (tmp_path / "training.json").write_text(json.dumps({**before, "more": 1, "before": {**RECORD, "more": 1}}))
    assert read_training_record(tmp_path / "training.json") == before
