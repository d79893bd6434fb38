import numpy as np

from inference.engine.backend import pad


def test_waveforms_are_padded_to_the_longest_and_masked():
    input_values, attention_mask = pad([np.ones(3, np.float32), np.full(5, 2, np.float32)])
    assert (input_values.dtype, attention_mask.dtype) == (np.float32, np.int64)
    assert input_values.tolist() == [[1, 1, 1, 0, 0], [2, 2, 2, 2, 2]]
    assert attention_mask.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
