"""Recordings behind URLs: a web server on this machine, whose connections can break, and secrets in addresses."""

import numpy as np
import pytest
import soundfile

from modeling import AudioError, AudioReader, load_audio
from modeling.audio_remote_ser import RemoteFile, redact_credentials
from tests.conftest import voice
from tests.support.folder_server import SECRET, serve_folder


@pytest.fixture
def web(tmp_path):
    for name in ("whole", "cut"):
        soundfile.write(tmp_path / f"{name}.wav", voice(3.0, 150), 16_000)
    with serve_folder(tmp_path) as address:
        yield address


def test_a_recording_is_read_as_from_a_file(web, tmp_path):
    expected = load_audio(tmp_path / "whole.wav")
    assert np.array_equal(load_audio(f"{web}/whole.wav"), expected)
    with AudioReader(f"{web}/whole.wav") as audio:
        assert np.array_equal(audio.read(2.0, 2.5), expected[32_000:40_000])
        assert (audio.duration_s, audio.name) == (3.0, f"{web}/whole.wav".replace(f"me:{SECRET}", "…"))


def test_a_long_recording_is_not_fetched_for_its_length(web, monkeypatch):
    monkeypatch.setattr("modeling.audio_ser._COUNTED_BYTES", 10_000)
    with AudioReader(f"{web}/whole.wav") as audio:
        audio.read(0.0, 1.0)
        assert audio.duration_s is None
        audio.read()
        assert audio.duration_s == 3.0


@pytest.mark.parametrize("name", ["cut.wav", "missing.wav"])
def test_a_broken_connection_is_not_the_end_of_the_recording(web, capfd, name):
    with pytest.raises(AudioError, match=r"^http://…@127.0.0.1:\d+/\w+\.wav: .") as caught:
        load_audio(f"{web}/{name}")
    assert SECRET not in f"{caught.value!r}{caught.value.__cause__!r}"
    assert capfd.readouterr() == ("", "")  # where a decoder written in C would print a traceback


def test_what_breaks_later_is_reported_when_it_is_read(web, tmp_path, monkeypatch):
    file = RemoteFile(f"{web}/whole.wav")
    assert (file.read(4), file.failure) == (b"RIFF", "")

    def fail(buffer):
        raise ConnectionResetError(f"{web} went away")

    file._file = open(tmp_path / "whole.wav", "rb")  # noqa: PTH123, SIM115
    monkeypatch.setattr(file, "_file", type("Broken", (), {"readinto": staticmethod(fail), "close": file._file.close}))
    assert file.read(4) == b""
    assert file.failure.startswith("http://…@127.0.0.1")
    file.close()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:word@host/a@b.wav?c@d", "https://…@host/a@b.wav?c@d"),
        ("HTTP://token@host/x.wav", "HTTP://…@host/x.wav"),
        ("no http://me:w@rd@host/x or ftp://me:word@host here", "no http://…@host/x or ftp://…@host here"),
        ("abfs://container@account/x.wav", "abfs://container@account/x.wav"),
        ("https://host/x.wav?mail=a@b", "https://host/x.wav?mail=a@b"),
        ("C:/calls/a@b.wav", "C:/calls/a@b.wav"),
    ],
)
def test_secrets_are_what_stands_before_the_host(text, shown):
    assert redact_credentials(text) == shown


def test_a_scheme_that_lacks_its_package_is_refused_without_the_secret():
    with pytest.raises(ImportError, match=r"reading sftp://…@host/x\.wav: .*paramiko") as caught:
        load_audio(f"sftp://me:{SECRET}@host/x.wav")
    assert SECRET not in repr(caught.value.__cause__)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("{}/none.wav", "404"),
        ("http://u:hunter2@127.0.0.1:1/a.wav", "Connect call failed"),
        ("http://u:hunter2@nobody.invalid/a.wav", "Cannot connect to host"),
    ],
)
def test_an_address_that_cannot_be_fetched_is_refused_with_the_reason(tmp_path, url, why):
    with serve_folder(tmp_path) as address:
        file = RemoteFile(url.format(address))
    assert why in file.failure
    assert SECRET not in file.failure
