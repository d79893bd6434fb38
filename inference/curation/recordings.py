"""A manifest -> its rows, each with its recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common.audio_files import AUDIO_SUFFIXES, audio_folder_of, path_inside

from .manifest import Manifest, read_manifest

PATH_COLUMNS = ("path", "audio", "file", "file_name", "audio_filepath", "audio_file")
SPEAKER_COLUMNS = ("speaker", "speaker_id", "speaker_name")
_STRETCH_COLUMNS = ("offset", "start_s")  # they make a row a part of a file


@dataclass(frozen=True)
class FilterOptions:
    """How a manifest is read.

    Args:
        path_column, speaker_column: by default the first of `PATH_COLUMNS` and `SPEAKER_COLUMNS` that it has.
        audio_folder: where its paths start, itself relative to the manifest's folder. All files must be inside it. In
            the LJSpeech form, by default, `wavs`.
        label_map: label of the manifest -> class of the model.
    """

    path_column: str | None = None
    speaker_column: str | None = None
    audio_folder: str | None = None
    label_map: Mapping[str, str] = field(default_factory=dict)


DEFAULT_OPTIONS = FilterOptions()


@dataclass(frozen=True)
class ManifestRecordings:
    """A manifest and the recordings that it names.

    Args:
        path: of the manifest.
        table: its rows.
        files: the recording of each row, `None` where the row names none.
        path_column, speaker_column: their names; a manifest may have no speakers.
    """

    path: Path
    table: Manifest
    files: list[Path | None]
    path_column: str
    speaker_column: str | None

    @property
    def recordings(self) -> list[Path]:
        """The recordings, each once."""
        return list(dict.fromkeys(file for file in self.files if file is not None))


def open_recordings(manifest: Path, options: FilterOptions) -> ManifestRecordings:
    """Reads a manifest and finds its recordings, without opening them.

    Raises:
        ValueError: the manifest or a path in it is invalid, a column is missing, or none of the recordings exists.
    """
    table = read_manifest(manifest, [options.path_column] if options.path_column else PATH_COLUMNS)
    path_column = _path_column(manifest, table, options)
    files = _find_files(manifest, table, path_column, options.audio_folder)
    _check_some_exist(manifest, files)
    return ManifestRecordings(
        manifest, table, files, path_column, _column(table, options.speaker_column, SPEAKER_COLUMNS)
    )


def _path_column(manifest: Path, table: Manifest, options: FilterOptions) -> str:
    column = _column(table, options.path_column, PATH_COLUMNS) if table.has_header else table.columns[0]
    if column is None:
        raise ValueError(
            f"{manifest} has no column {' or '.join(PATH_COLUMNS)}; it has {', '.join(table.columns)}. Name the column "
            "of paths with --path_column."
        )
    return column


def _find_files(manifest: Path, table: Manifest, column: str, audio_folder: str | None) -> list[Path | None]:
    """The recording of each row, `None` where the row names none."""
    for name in set(_STRETCH_COLUMNS) & set(table.columns):
        parts = sum(cell is not None and float(cell) != 0 for cell in table.column(name))
        if parts:
            raise ValueError(f"{manifest}: {parts:,} rows are parts of files, by their {name}; cut the files first.")
    folder = audio_folder_of(manifest, audio_folder or "")
    files = []
    for number, cell in enumerate(table.column(column), start=1):
        try:
            if not isinstance(cell, str | None):
                raise ValueError(f"column {column} must hold paths, got {type(cell).__name__}.")
            if cell and not table.has_header and not cell.lower().endswith(AUDIO_SUFFIXES):
                cell = f"{cell}.wav" if audio_folder else f"wavs/{cell}.wav"
            files.append(path_inside(folder, cell) if cell else None)
        except ValueError as error:
            raise ValueError(f"{manifest}, row {number}: {error}") from error
    return files


def _check_some_exist(manifest: Path, files: Sequence[Path | None]) -> None:
    named = [file for file in files if file is not None]
    if named and not any(file.is_file() for file in named):
        raise ValueError(
            f"{manifest}: its {len(named):,} recordings do not exist, for example {named[0]}. Name the folder in which "
            "the paths start with --audio_folder."
        )


def _column(table: Manifest, named: str | None, usual: Sequence[str]) -> str | None:
    """The column that is named, or else the first usual one, if any."""
    if named is not None and named not in table.columns:
        raise ValueError(f"The manifest has no column {named!r}; it has {', '.join(table.columns)}.")
    return named or next((name for name in usual if name in table.columns), None)
