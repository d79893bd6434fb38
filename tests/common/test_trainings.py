from common.trainings import Training, find_trainings


def finish(folder, *names):
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "model.safetensors").write_bytes(b"")


def test_finished_trainings_are_found_by_seed_and_in_the_order_of_their_numbers(tmp_path):
    finish(tmp_path, "seed-10/fold-1", "seed-2/fold-10", "seed-2/fold-9", "seed-x/fold-1", "trainings")
    (tmp_path / "seed-2/fold-3").mkdir()  # not finished
    assert find_trainings(tmp_path) == {2: [Training(2, 9), Training(2, 10)], 10: [Training(10, 1)]}
    assert [training.name for training in find_trainings(tmp_path)[2]] == ["seed-2/fold-9", "seed-2/fold-10"]


def test_seeds_without_folds(tmp_path):
    finish(tmp_path, "seed-1", "seed-3")
    assert find_trainings(tmp_path) == {1: [Training(1)], 3: [Training(3)]}
    assert Training(3).name == "seed-3"


def test_an_ordinary_checkpoint_holds_none(tmp_path):
    finish(tmp_path, "checkpoint")
    assert find_trainings(tmp_path / "checkpoint") == find_trainings(tmp_path / "missing") == {}
