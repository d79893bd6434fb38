import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from modeling.modeling_heads_ser import (
    AttentiveStatisticsPooling,
    MultiTaskHeads,
    labeled,
    masked_mean,
    multi_task_loss,
)
from modeling.tasks_ser import Task
from tests.conftest import TASKS

LOGITS = {
    "emotion": torch.tensor([[2.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 1.0, 3.0]]),
    "gender": torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.5, 0.5]]),
    "f0_mean": torch.tensor([[0.5], [-1.0], [0.0]]),
}


def test_masked_mean_leaves_padding_out():
    states = torch.tensor([[[1.0], [3.0], [100.0]], [[2.0], [4.0], [6.0]]])
    mask = torch.tensor([[True, True, False], [True, True, True]])
    assert masked_mean(states, mask).tolist() == [[2.0], [4.0]]


def test_masked_mean_of_many_bfloat16_frames_does_not_stall():
    states = torch.full((1, 3000, 1), 1.0, dtype=torch.bfloat16)
    assert masked_mean(states, torch.ones(1, 3000)).item() == 1.0


def test_weights_stay_with_their_clips():
    labels = {"emotion": torch.tensor([0, 2, -100])}
    loss, losses = multi_task_loss(LOGITS, labels, TASKS)
    nll = F.cross_entropy(LOGITS["emotion"][:2], torch.tensor([0, 2]), reduction="none")
    assert losses["emotion"].item() == pytest.approx(((0.5 * nll[0] + 2.0 * nll[1]) / 2).item())
    assert loss.item() == pytest.approx(losses["emotion"].item())
    assert set(losses) == {"emotion"}


def test_regression_works_on_standardised_targets():
    labels = {"f0_mean": torch.tensor([180.0, math.nan, 230.0])}
    _, losses = multi_task_loss(LOGITS, labels, TASKS)
    assert losses["f0_mean"].item() == pytest.approx((0.5**2 + 1.0**2) / 2)


def test_total_is_the_sum_by_the_tasks_weights():
    labels = {
        "emotion": torch.tensor([0, 1, 2]),
        "gender": torch.tensor([1, 1, 0]),
        "f0_mean": torch.tensor([180.0, 200.0, 150.0]),
    }
    loss, losses = multi_task_loss(LOGITS, labels, TASKS)
    assert loss.item() == pytest.approx((losses["emotion"] + 0.5 * losses["gender"] + losses["f0_mean"]).item())


def test_effective_batch_is_what_counts():
    labels = {"emotion": torch.tensor([0, 1, 2])}
    _, whole = multi_task_loss(LOGITS, labels, TASKS)
    parts = [
        multi_task_loss(
            {name: logits[part] for name, logits in LOGITS.items()},
            {"emotion": labels["emotion"][part]},
            TASKS,
            {"emotion": 3},
        )[1]["emotion"]
        for part in (slice(0, 1), slice(1, 3))
    ]
    assert sum(parts).item() == pytest.approx(whole["emotion"].item())


@pytest.mark.parametrize(
    "labels",
    [
        {"emotion": torch.full((3,), -100), "gender": torch.full((3,), -100), "f0_mean": torch.full((3,), math.nan)},
        {},
    ],
)
def test_no_label_at_all_is_a_loss_of_zero_with_zero_gradients(labels):
    logits = {name: value.clone().requires_grad_() for name, value in LOGITS.items()}
    loss, _ = multi_task_loss(logits, labels, TASKS)
    loss.backward()
    assert loss.item() == 0.0
    assert all(torch.equal(value.grad, torch.zeros_like(value)) for value in logits.values())


def test_missing_numbers_do_not_poison_gradients():
    logits = {name: value.clone().requires_grad_() for name, value in LOGITS.items()}
    loss, _ = multi_task_loss(logits, {"f0_mean": torch.tensor([math.nan, 200.0, math.nan])}, TASKS)
    loss.backward()
    assert logits["f0_mean"].grad[0].item() == 0.0
    assert logits["f0_mean"].grad[1].item() == pytest.approx(2 * (-1.0 - 0.4))


def test_labeled():
    assert labeled(torch.tensor([0, -100])).tolist() == [True, False]
    assert labeled(torch.tensor([0.0, math.nan])).tolist() == [True, False]


def test_one_linear_layer_per_task():
    heads = MultiTaskHeads(16, TASKS)
    assert {name: tuple(logits.shape) for name, logits in heads(torch.zeros(4, 16)).items()} == {
        "emotion": (4, 3),
        "gender": (4, 2),
        "f0_mean": (4, 1),
    }


def test_divided_heads_give_divided_logits_and_the_others_what_they_gave():
    heads, pooled = MultiTaskHeads(16, TASKS), torch.randn(5, 16)
    before = heads(pooled)
    heads.apply_temperature({"emotion": 2.5, "gender": 1.0})
    after = heads(pooled)
    torch.testing.assert_close(after["emotion"], before["emotion"] / 2.5)
    assert torch.equal(after["gender"], before["gender"])
    assert torch.equal(after["f0_mean"], before["f0_mean"])
    assert all(parameter.requires_grad for parameter in heads.parameters())


def ccc_loss(predicted, target):
    task = Task("valence", "regression", "valence", mean=2.0, std=0.5, loss="ccc")
    logits = torch.tensor(predicted, requires_grad=True)
    loss, losses = multi_task_loss({"valence": logits[:, None]}, {"valence": torch.tensor(target)}, [task])
    loss.backward()
    return losses["valence"].item(), logits.grad


def test_concordance_loss_is_one_minus_lins_coefficient():
    predicted, target = [0.5, -1.0, 0.3, 9.0], [2.5, 1.0, 3.0, math.nan]
    x, y = torch.tensor(predicted[:3]), (torch.tensor(target[:3]) - 2.0) / 0.5
    covariance = ((x - x.mean()) * (y - y.mean())).mean()
    ccc = 2 * covariance / (x.var(correction=0) + y.var(correction=0) + (x.mean() - y.mean()) ** 2)
    loss, gradient = ccc_loss(predicted, target)
    assert loss == pytest.approx(1 - ccc.item())
    assert gradient[:3].abs().min() > 0
    assert gradient[3] == 0


@pytest.mark.parametrize("target", [[math.nan, math.nan], [2.5, math.nan], [2.0, 2.0]], ids=["none", "one", "equal"])
def test_concordance_loss_stays_finite(target):
    loss, gradient = ccc_loss([0.0, 0.0], target)
    assert math.isfinite(loss)
    assert gradient.isfinite().all()


def test_attentive_statistics_are_weighted_over_the_frames_that_hold_audio():
    torch.manual_seed(0)
    pooling = AttentiveStatisticsPooling(4)
    states, mask = torch.randn(2, 6, 4), torch.tensor([[True] * 6, [True] * 3 + [False] * 3])
    found = pooling(torch.where(mask.unsqueeze(-1), states, torch.nan), mask)
    for clip, frames, row in zip(states, (6, 3), found, strict=True):
        weights = pooling.score(pooling.hidden(clip[:frames]).tanh()).softmax(dim=0)
        mean = (weights * clip[:frames]).sum(dim=0)
        deviation = (weights * (clip[:frames] - mean) ** 2).sum(dim=0).sqrt()
        torch.testing.assert_close(row, torch.cat([mean, deviation]))


def test_the_deviation_of_a_single_frame_has_a_finite_gradient():
    states = torch.randn(1, 1, 4, requires_grad=True)
    AttentiveStatisticsPooling(4)(states, torch.ones(1, 1, dtype=torch.bool)).sum().backward()
    assert states.grad.isfinite().all()


def classification_loss(target, task):
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss, _ = multi_task_loss({"emotion": logits}, {"emotion": target}, [task])
    loss.backward()
    return loss.item(), logits.grad


@pytest.mark.parametrize("class_weights", [(), (0.5, 1.0, 2.0)])
def test_soft_labels_of_a_single_vote_have_the_loss_and_the_gradients_of_the_label(class_weights):
    hard = Task("emotion", "classification", "emotion", labels=("a", "b", "c"), class_weights=class_weights)
    index = torch.tensor([0, 2, 1, -100, 2, 0])
    shares = F.one_hot(index.clamp(min=0), 3).float()
    shares[3] = math.nan
    expected, expected_gradients = classification_loss(index, hard)
    loss, gradients = classification_loss(shares, replace(hard, loss="soft"))
    assert loss == pytest.approx(expected, abs=1e-6)
    torch.testing.assert_close(gradients, expected_gradients, atol=1e-6, rtol=0)
    assert not gradients[3].any()
    assert labeled(shares).tolist() == labeled(index).tolist()


def test_the_loss_of_soft_labels_is_the_mean_of_those_of_the_labels_by_their_shares():
    task = Task("emotion", "classification", "emotion", labels=("a", "b", "c"), class_weights=(0.5, 1.0, 2.0))
    shares = torch.tensor([0.2, 0.3, 0.5])
    single = [classification_loss(torch.full((6,), index), task)[0] for index in range(3)]
    loss, _ = classification_loss(shares.expand(6, 3), replace(task, loss="soft"))
    assert loss == pytest.approx(sum(share * value for share, value in zip(shares.tolist(), single, strict=True)))
