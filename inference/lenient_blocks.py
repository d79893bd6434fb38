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
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            expected = ", ".join(f"{block.label} ({block.get_block_name()})" for block in block_fn.inputs)
            reason = str(error).partition("\n")[0]
            said = f"The inputs are invalid ({reason}). Expected, in this order: {expected}; the last may be left out."
            raise gr.Error(said, print_exception=False) from error
