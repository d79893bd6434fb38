"""A learning rate per parameter: one for what is new on the encoder, and one that decays from layer to layer below."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from .arguments.training_arguments import SERTrainingArguments


def learning_rates(model: Any, args: SERTrainingArguments) -> dict[str, float]:
    """Parameter name -> its peak learning rate, for the parameters that are trained, from the top of the encoder down.

    The highest layer of the encoder has `learning_rate`, and each lower one that of the layer above it, times
    `layer_decay` (Clark et al. 2020, arXiv 2003.10555; Bao et al. 2021, arXiv 2106.08254). What is below the lowest
    layer counts as one more. What is not part of the encoder comes last and has `head_learning_rate`.

    Args:
        model: a model whose `layer_numbers` names the layer of each parameter.
        args: settings of the training.

    Raises:
        ValueError: `layer_decay` is set, but no layer of the encoder is trained.
    """
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    numbers = {name: number for name, number in model.layer_numbers().items() if name in trained}
    if args.layer_decay != 1 and not any(numbers.values()):
        raise ValueError(
            f"--layer_decay {args.layer_decay} has no effect, because no layer of an encoder is trained: remove it."
        )
    top = len(model.layers)
    head_rate = args.learning_rate if args.head_learning_rate is None else args.head_learning_rate
    return {
        name: head_rate if number is None else args.learning_rate * args.layer_decay ** (top - number)
        for name, number in sorted(numbers.items(), key=lambda item: -1 if item[1] is None else item[1], reverse=True)
    }


def split_by_rate(
    groups: Sequence[Mapping[str, Any]], names: Mapping[Any, str], rates: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Parameter groups of an optimizer, each divided into one group per learning rate.

    Args:
        groups: with the keys of [`~torch.optim.Optimizer`], which are kept, but for `params` and `lr`.
        names: parameter -> its name.
        rates: as returned by [`learning_rates`]; the first of the groups has the first of the rates, which is the one
            that the Trainer logs.
    """
    order = [*dict.fromkeys(rates.values())]
    return [
        {**group, "params": params, "lr": rate}
        for rate, group in itertools.product(order, groups)
        if (params := [parameter for parameter in group["params"] if rates[names[parameter]] == rate])
    ]
