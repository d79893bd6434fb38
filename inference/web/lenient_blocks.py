"""Gradio's Blocks for programs: inputs that a request leaves out have defaults, and invalid ones a clear error."""

from __future__ import annotations

from typing import Any, cast

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.state_holder import SessionState


class LenientBlocks(gr.Blocks):
    """Blocks that take fewer inputs than there are components, and name those that they expect.

    Gradio 6.31 itself returns `{"error": null}` for both: only its Python client fills in defaults.
    """

    async def preprocess_data(
        self, block_fn: BlockFunction, inputs: list[Any], state: SessionState | None, explicit_call: bool = False
    ) -> list[Any]:
        """See [`~gradio.Blocks`]. Raises a [`~gradio.Error`], whose message is shown to the visitor."""
        blocks = cast(list[gr.components.Component], block_fn.inputs)  # every input of an event is a component
        missing = [None] * (len(blocks) - len(inputs))
        filled = [
            block.value if value is None and not block.stateful else value
            for block, value in zip(blocks, [*inputs, *missing], strict=False)
        ]
        try:
            return await super().preprocess_data(block_fn, filled, state, explicit_call)
        except gr.Error as error:  # otherwise it would be printed as an error of the server
            raise gr.Error(error.message, print_exception=False) from error
        except (TypeError, ValueError, AttributeError, KeyError) as error:  # whose messages name folders of the server
            expected = ", ".join(f"{block.label} ({_kind(block)})" for block in blocks if not block.stateful)
            message = f"The inputs are invalid. Expected, in this order: {expected}. The last ones may be left out."
            raise gr.Error(message, print_exception=False) from error


def _kind(block: gr.components.Component) -> str:
    schema = block.api_info()
    return schema.get("title") or schema["type"]
