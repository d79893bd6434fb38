"""Gradio's Blocks for programs too: what a request leaves out has its default, and what is invalid is said."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.state_holder import SessionState


class LenientBlocks(gr.Blocks):
    """Blocks that take fewer inputs than there are components, and name those that they expect.

    Gradio itself answers `{"error": null}` to both, which tells a program nothing.
    """

    async def preprocess_data(
        self, block_fn: BlockFunction, inputs: list[Any], state: SessionState | None, explicit_call: bool = False
    ) -> list[Any]:
        """See [`gradio.Blocks`]. Raises a [`gradio.Error`], whose message the visitor gets."""
        missing = [None] * (len(block_fn.inputs) - len(inputs))
        filled = [
            block.value if value is None and not block.stateful else value
            for block, value in zip(block_fn.inputs, [*inputs, *missing], strict=False)
        ]
        try:
            return await super().preprocess_data(block_fn, filled, state, explicit_call)
        except gr.Error as error:  # which would be printed as if it were the server's
            raise gr.Error(error.message, print_exception=False) from error
        except (TypeError, ValueError, AttributeError, KeyError) as error:  # whose texts name folders of the server
            expected = ", ".join(f"{block.label} ({_kind(block)})" for block in block_fn.inputs if not block.stateful)
            said = f"The inputs are invalid. Expected, in this order: {expected}. Those at the end may be left out."
            raise gr.Error(said, print_exception=False) from error


def _kind(block: gr.components.Component) -> str:
    schema = block.api_info()
    return schema.get("title") or schema["type"]
