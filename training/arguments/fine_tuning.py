"""The settings of fine-tuning: learning rates of heads and layers, and low-rank adaptation."""

from __future__ import annotations

from dataclasses import dataclass, field

from .batch_sizes import BatchArguments


@dataclass
class FineTuningArguments(BatchArguments):
    """[`BatchArguments`] with what decides how much each part of a model moves.

    See [`~training.learning_rates.learning_rates`] and [`~training.lora.add_adapters`].
    [`~training.arguments.value_checks.check_values`] checks each value.
    """

    head_learning_rate: float | None = field(
        default=None,
        metadata={
            "help": "Peak learning rate of what is not part of the encoder: heads, pooling, weights of layers. "
            "Default: as --learning_rate."
        },
    )
    layer_decay: float = field(
        default=1.0,
        metadata={
            "help": "Factor of the learning rate from each layer of the encoder to the one below: the highest has "
            "--learning_rate, what is below the first layer the lowest rate."
        },
    )
    lora_rank: int = field(
        default=0,
        metadata={
            "help": "Freeze the encoder and train low-rank updates of this rank of its attention and feed-forward "
            "projections (LoRA), which are merged into its weights at the end; needs peft. 0: off."
        },
    )
    lora_alpha: float | None = field(
        default=None, metadata={"help": "Scale of the low-rank updates, divided by the rank. Default: 2 x rank."}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lora_alpha is not None and not self.lora_rank:
            raise ValueError(
                f"--lora_alpha {self.lora_alpha} scales low-rank updates, but --lora_rank is 0: set a rank, or remove "
                "the flag."
            )
