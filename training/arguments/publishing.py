"""The flags that say where a finished checkpoint is published: transformers' own, taken from the Trainer."""

from __future__ import annotations

from dataclasses import dataclass, field

from transformers import TrainingArguments

PUBLISHING = ("push_to_hub", "hub_model_id", "hub_private_repo", "hub_strategy")  # no settings of a training


@dataclass
class PublishingArguments(TrainingArguments):
    """[`~transformers.TrainingArguments`] whose `push_to_hub` is not for the Trainer.

    The Trainer would publish every checkpoint, for all to see, with pickled settings. `train.py` publishes the finished
    one: to `hub_model_id`, which has to be given, and privately unless `hub_private_repo` is false. `hub_token` is
    refused.

    `publish_to` is no flag: it says where to publish, if at all, once `push_to_hub` has been taken from the Trainer.
    """

    push_to_hub: bool = field(
        default=False, metadata={"help": "Publish the finished checkpoint to hub_model_id, as publish.py does."}
    )
    hub_model_id: str | None = field(default=None, metadata={"help": "With push_to_hub: NAMESPACE/NAME."})
    hub_private_repo: bool | None = field(
        default=None, metadata={"help": "false: let all see what push_to_hub publishes. Private by default."}
    )
    publish_to: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.hub_token is not None:
            raise ValueError(
                "--hub_token would be written into every checkpoint's training_args.bin: log in with `hf auth login`, "
                "or set HF_TOKEN."
            )
        if self.push_to_hub and self.hub_model_id is None:
            raise ValueError("--push_to_hub needs to know where to: --hub_model_id NAMESPACE/NAME.")
        self.publish_to = self.hub_model_id if self.push_to_hub else None
        self.push_to_hub = False
        super().__post_init__()
