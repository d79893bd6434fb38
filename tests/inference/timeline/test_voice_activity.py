import sys

import numpy as np
import pytest
import torch
from silero_vad import get_speech_timestamps, load_silero_vad

from inference.timeline.voice_activity import find_speech
from modeling import SAMPLING_RATE, vad_ser
from tests.inference.conftest import music, noise


def in_blocks(waveform, size):
    return (waveform[first : first + size] for first in range(0, waveform.size, size))


def regions_of(parts, waveform):
    """The regions that the parts make, after a look at whether they go together."""
    regions, open_ = [], False
    for part in parts:
        end = part.start + part.waveform.size
        np.testing.assert_array_equal(part.waveform, waveform[part.start : end])
        assert part.waveform.size > 0 or part.ends
        if open_:
            assert part.start == regions[-1]["end"]
            regions[-1]["end"] = end
        else:
            regions.append({"start": part.start, "end": end})
        open_ = not part.ends
    assert not open_
    return regions


@pytest.fixture(scope="module")
def recording(spoken):
    """Sentences, and bursts of 0.1 to 0.3 s of them, between pauses of all lengths; it ends while someone speaks."""
    parts = []
    for index, clip in enumerate(spoken):
        parts += [clip, noise(0.04 * index, 0.001, index)]
        parts += [clip[8_000 : 9_600 + 320 * index], noise(0.3, 0.001, index)]
    return np.concatenate([*parts, spoken[0][:12_345]])


@pytest.fixture(scope="module")
def expected(recording):
    """Its regions as silero-vad's own function finds them, which must have it whole."""
    return get_speech_timestamps(torch.from_numpy(recording), load_silero_vad())


@pytest.mark.parametrize("size", [16_001, 1_000, 10**9])
def test_the_regions_are_sileros_own_whatever_the_blocks(recording, expected, size):
    assert len(expected) > 10
    assert expected[-1]["end"] == recording.size
    assert regions_of(find_speech(in_blocks(recording, size)), recording) == expected


def test_speech_without_a_pause_comes_in_parts_of_a_block(spoken):
    monologue = np.tile(spoken[0][2_000:10_000], 40)  # 20 s
    parts = list(find_speech(in_blocks(monologue, SAMPLING_RATE)))
    assert len(regions_of(parts, monologue)) == 1
    assert len(parts) > 15
    assert max(part.waveform.size for part in parts) < 1.5 * SAMPLING_RATE


def test_a_part_is_yielded_before_the_next_block_is_read(spoken):
    read = []
    blocks = (read.append(index) or block for index, block in enumerate([np.tile(spoken[0], 2)] * 3))
    next(find_speech(blocks))
    assert read == [0]


@pytest.mark.parametrize("kind", ["chords", "arpeggio", "drums"])
def test_music_is_not_speech(kind):
    assert list(find_speech([music(kind, 10)])) == []


@pytest.mark.parametrize("waveform", [noise(10, 0.01), noise(10, 0.1), np.zeros(160_000, np.float32)])
def test_noise_and_silence_are_not_speech(waveform):
    assert list(find_speech([waveform])) == []


@pytest.mark.parametrize("blocks", [[], [np.zeros(0, np.float32)], [np.zeros(100, np.float32)]])
def test_next_to_nothing_is_not_speech(blocks):
    assert list(find_speech(blocks)) == []


def test_speech_is_found_in_noise_and_between_music(spoken):
    gaps = [noise(1.5, 0.01), music("chords", 2.0), music("drums", 2.0), noise(0.5, 0.01), music("arpeggio", 2.0)]
    bounds, parts, at = [], [], 0
    for gap, clip in zip(gaps, spoken, strict=False):
        bounds.append((at + gap.size, at + gap.size + clip.size))
        parts += [gap, clip]
        at = bounds[-1][1]
    waveform = np.concatenate([*parts, noise(1.0, 0.01)])
    regions = regions_of(find_speech([waveform]), waveform)
    for start, end in bounds:
        inside = [region for region in regions if region["start"] < end and region["end"] > start]
        assert abs(inside[0]["start"] - start) < 0.5 * SAMPLING_RATE
        assert abs(inside[-1]["end"] - end) < 0.5 * SAMPLING_RATE
        regions = [region for region in regions if region not in inside]
    assert regions == []


def test_two_recordings_can_be_processed_in_turns(spoken, recording):
    other = np.concatenate([noise(0.7, 0.001), *spoken[3:6]])
    alone = [regions_of(find_speech([waveform]), waveform) for waveform in (recording, other)]
    both = [find_speech(in_blocks(waveform, 8_000)) for waveform in (recording, other)]
    parts = [[], []]
    for _ in range(1000):
        for regions, found in zip(both, parts, strict=True):
            found += [part for part in [next(regions, None)] if part]
    assert [regions_of(*pair) for pair in zip(parts, (recording, other), strict=True)] == alone


@pytest.mark.slow
def test_the_process_keeps_its_threads(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "silero_vad"]:
        monkeypatch.delitem(sys.modules, name)
    vad_ser._load_torch.cache_clear()
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert list(find_speech([noise(1, 0.01)])) == []
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
