"""The settings of publishing the finished checkpoint: transformers' own flags, withheld from the Trainer."""

from __future__ import annotations

from dataclasses import dataclass, field

from transformers import TrainingArguments

HUB_SETTINGS = ("push_to_hub", "hub_model_id", "hub_private_repo", "hub_strategy")  # they do not change a training


@dataclass
class HubArguments(TrainingArguments):
    """[`~transformers.TrainingArguments`] whose `push_to_hub` is withheld from the Trainer.

    The Trainer would publish every checkpoint publicly, with pickled settings. `train.py` publishes the finished one to
    `hub_model_id`, which is required, privately unless `hub_private_repo` is false. `hub_token` is refused.

    `publish_to` is not a flag: it is the repository to publish to, or `None`.
    """

    push_to_hub: bool = field(
        default=False, metadata={"help": "Publish the finished checkpoint to hub_model_id, as publish.py does."}
    )
    hub_model_id: str | None = field(default=None, metadata={"help": "With push_to_hub: NAMESPACE/NAME."})
    hub_private_repo: bool | None = field(
        default=None, metadata={"help": "false: publish publicly with push_to_hub. Private by default."}
    )
    publish_to: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.hub_token is not None:
            raise ValueError(
                "--hub_token would be written into every checkpoint's training_args.bin: log in with `hf auth login`, "
                "or set HF_TOKEN."
            )
        if self.push_to_hub and self.hub_model_id is None:
            raise ValueError("--push_to_hub needs a repository: add --hub_model_id NAMESPACE/NAME.")
        self.publish_to = self.hub_model_id if self.push_to_hub else None
        self.push_to_hub = False
        super().__post_init__()
