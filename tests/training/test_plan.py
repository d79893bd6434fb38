import pytest

from training.arguments.parse import parse_args
from training.plan import plan_training

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--protocol", "folds:2", "--sweep"], "--sweep"),
        (["--seeds", "1", "--push_to_hub", "--hub_model_id", "org/name"], "--push_to_hub"),
        (["--protocol", "folds:9"], "folds:9"),
        (["--seeds", "1", "--resume_from_checkpoint", "latest"], "--resume_from_checkpoint"),
        (["--seeds", "1", "--save_only_model", "true"], "--save_only_model"),
    ],
)
def test_what_cannot_be_trained_several_times_is_refused(arguments, flags, named, tmp_path):
    with pytest.raises(ValueError, match=named):
        plan_training(*parse_args([*arguments, *flags]))
    assert not list(tmp_path.glob("run/seed-*"))
