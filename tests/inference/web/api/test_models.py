from common.checkpoint_files import weights_sha256
from inference.engine.predictor import load_predictor
from inference.web.api.models import describe_model, warm_up
from tests.conftest import TASKS


def test_a_model_is_described_by_its_heads_and_its_identity(checkpoint):
    predictor = load_predictor(str(checkpoint))
    warm_up(predictor)
    model = describe_model(str(checkpoint), "torch", predictor)
    assert (model["id"], model["weights_sha256"]) == (checkpoint.name, weights_sha256(checkpoint))
    assert (model["backend"], model["precision"]) == ("torch", "float32")
    assert [task["labels"] for task in model["tasks"]] == [list(task.labels) for task in TASKS]
    assert str(checkpoint.parent) not in str(model)
