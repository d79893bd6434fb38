import asyncio
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason="Gradio is not installed")
import gradio as gr

from inference.web.lenient_blocks import LenientBlocks


@pytest.fixture(scope="module")
def page():
    with LenientBlocks() as page:
        state, file = gr.State("kept"), gr.File(label="Recording")
        labels = gr.CheckboxGroup(["angry", "sad"], value=["angry", "sad"], label="Classes")
        bound = gr.Slider(0, 1, 0.25, label="Bound")
        gr.Button().click(lambda *values: None, [state, file, labels, bound], None)
    return page


def values(page, *inputs):
    (function,) = page.fns.values()
    return asyncio.run(page.preprocess_data(function, list(inputs), None))


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ([], ["kept", None, ["angry", "sad"], 0.25]),
        ([None, None, ["sad"]], ["kept", None, ["sad"], 0.25]),
        ([None, None, None, 0.5], ["kept", None, ["angry", "sad"], 0.5]),
        ([None, None, [], 0], ["kept", None, [], 0]),
    ],
)
def test_what_is_left_out_has_its_default(page, inputs, expected):
    assert values(page, *inputs) == expected


@pytest.mark.parametrize(
    "inputs",
    [
        [None, None, ["bored"]],
        [None, None, 7],
        [None, None, None, "half"],
        [None, None, None, 2],
        [None, "clip.wav"],
        [None, {"path": 7}],
    ],
)
def test_what_is_invalid_is_an_error_with_a_message(page, inputs):
    with pytest.raises(gr.Error) as error:
        values(page, *inputs)
    assert error.value.message
    assert str(Path.cwd()) not in error.value.message
