import hashlib
import shutil
from pathlib import Path

from common.checkpoint_files import weight_files, weights_sha256


def test_weights_are_identified_by_the_hash_of_their_file(checkpoint):
    weights = checkpoint / "model.safetensors"
    assert weight_files(checkpoint) == [weights]
    assert weights_sha256(checkpoint) == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert weights_sha256("team/ser") is None


def test_shards_are_identified_by_the_hash_of_all(tiny_model, tmp_path):
    tiny_model.save_pretrained(tmp_path, max_shard_size="10KB")
    (tmp_path / "model-00009-of-00009.safetensors").write_bytes(b"of another time")
    shards = sorted(tmp_path.glob("model-*.safetensors"))[:-1]
    assert weight_files(tmp_path) == shards
    assert len(shards) > 1
    together = b"".join(path.read_bytes() for path in shards)
    assert weights_sha256(tmp_path) == hashlib.sha256(together).hexdigest()


def test_the_identity_of_a_model_is_that_of_its_weights_wherever_they_are(checkpoint, tmp_path):
    copy = Path(shutil.copytree(checkpoint, tmp_path / "copy"))
    (copy / "metrics.json").write_text("{}")
    assert weights_sha256(copy) == weights_sha256(checkpoint)
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    assert weights_sha256(copy) != weights_sha256(checkpoint)


def test_an_onnx_folder_is_identified_by_its_graphs(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"graph")
    (tmp_path / "model_int8.onnx").write_bytes(b" in 8 bits")
    assert weights_sha256(tmp_path) == hashlib.sha256(b"graph in 8 bits").hexdigest()
